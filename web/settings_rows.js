// One setting: its label, its control, the origin of its value, and why it cannot be changed here.
import { make, makeButton, setText } from "./dom.js";
import { getLanguage, hasTranslation, translate } from "./i18n.js";

/** Makes the row of a setting. `save(changes)` resolves when the change is saved, or throws. */
export function makeSettingRow(setting, save) {
  return new Row(setting, save, CONTROLS[setting.kind]);
}

/** Makes the row of the service's address: one of the known ones, or another. */
export function makeServiceRow(setting, save) {
  return new Row(setting, save, makeServiceControl);
}

class Row {
  constructor(setting, save, makeControl) {
    this.name = setting.name;
    this.id = `seedream-setting-${setting.name}`;
    this.error = make("p", { class: "seedream-error", role: "alert", hidden: true, id: `${this.id}-error` });
    this.reason = make("p", { class: "seedream-reason", hidden: true, id: `${this.id}-reason` });
    this.origin = make("span", { class: "seedream-origin" });
    this.reset = makeButton(translate("settings.reset"), () => this.change(null), {
      class: "seedream-link",
      "aria-label": translate("settings.reset_of", { name: this.text("label") }),
    });
    this.write = save;
    this.control = makeControl(this, setting);
    this.element = this.build();
  }

  text(part) {
    const key = `settings.${this.name}.${part}`;
    return hasTranslation(key) ? translate(key) : part === "label" ? this.name : "";
  }

  build() {
    const label = make("label", { class: "seedream-label", for: this.id, text: this.text("label") });
    const help = make("p", { class: "seedream-help", id: `${this.id}-help`, text: this.text("help") });
    const origin = make("div", { class: "seedream-origins" }, this.origin, this.reset);
    const left = make("div", { class: "seedream-about" }, label, help, this.reason, this.error);
    const right = make("div", { class: "seedream-control" }, this.control.element, origin);
    return make("div", { class: "seedream-setting", "data-name": this.name }, left, right);
  }

  change = async (value) => {
    setText(this.error, "");
    try {
      await this.write({ [this.name]: value });
      this.element.dataset.saved = "yes";
    } catch (error) {
      setText(this.error, error.message);
    }
  };

  show(setting) {
    const code = getLanguage();
    this.control.show(setting);
    setText(this.error, setting.error?.[code]);
    setText(this.reason, setting.reason?.[code]);
    const origin = { environment: "environment", "settings file": "file", default: "default" }[setting.origin];
    this.element.dataset.origin = origin ?? "other";
    const isSilent = origin === "default" || !setting.is_needed;
    const origins = [translate(`origins.${origin ?? "other"}`), ...(setting.is_hidden ? [translate("settings.part_hidden")] : [])];
    setText(this.origin, isSilent ? "" : origins.join(" · "));
    this.reset.hidden = !setting.editable || setting.origin !== "settings file" || setting.kind === "secret";
  }

  descriptionIds() {
    return `${this.id}-help ${this.id}-reason ${this.id}-error`;
  }
}

const CONTROLS = { text: makeTextControl, number: makeTextControl, choice: makeChoiceControl, switch: makeSwitchControl, secret: makeSecretControl };

function makeTextControl(row, setting) {
  const isNumber = setting.kind === "number";
  let sent = null;
  const input = make("input", {
    id: row.id,
    class: "seedream-input",
    type: isNumber ? "number" : "text",
    min: isNumber ? setting.low : null,
    max: isNumber ? setting.high : null,
    step: isNumber ? "any" : null,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: setting.default,
    "aria-describedby": row.descriptionIds(),
    onchange: () => row.change((sent = input.value)),
  });
  const show = (now) => {
    input.disabled = !now.editable;
    // The secret part of an address is not known here: the rest is shown, and not sent back.
    input.placeholder = now.is_hidden ? now.value : now.default;
    const value = now.is_set && now.origin !== "default" && !now.is_hidden ? now.value : "";
    // The response to another field must not replace what the user is typing; but what was sent is
    // replaced by what was saved of it, so that no password stays visible.
    const isTyping = document.activeElement === input && input.value !== sent;
    if (!isTyping || !now.editable) input.value = value;
  };
  return { element: input, show };
}

function makeChoiceControl(row, setting) {
  const options = setting.words.map((value) => make("option", { value, text: translate(`choices.${row.name}.${value}`) }));
  const select = make("select", {
    id: row.id,
    class: "seedream-input",
    "aria-describedby": row.descriptionIds(),
    onchange: () => row.change(select.value),
  }, ...options);
  return {
    element: select,
    show(now) {
      select.disabled = !now.editable;
      select.value = now.value;
    },
  };
}

function makeSwitchControl(row) {
  const input = make("input", {
    id: row.id,
    class: "seedream-switch",
    type: "checkbox",
    role: "switch",
    "aria-describedby": row.descriptionIds(),
    onchange: () => row.change(input.checked ? "on" : "off"),
  });
  return {
    element: input,
    show(now) {
      input.disabled = !now.editable;
      input.checked = now.value === "on";
    },
  };
}

/** Makes a field that is always shown empty: the secret is sent to the server and never returned. */
function makeSecretControl(row) {
  const input = make("input", {
    id: row.id,
    class: "seedream-input",
    type: "password",
    autocomplete: "new-password",
    spellcheck: "false",
    "data-1p-ignore": true,
    "data-lpignore": "true",
    "aria-describedby": row.descriptionIds(),
    onkeydown: (event) => event.key === "Enter" && put(),
    oninput: () => (save.disabled = !input.value),
  });
  const put = async () => {
    const secret = input.value;
    input.value = "";
    save.disabled = true;
    if (secret) await row.change(secret);
  };
  const save = makeButton(translate("settings.save"), put, { disabled: true, "aria-label": translate("settings.save_of", { name: row.text("label") }) });
  const remove = makeButton(translate("settings.remove"), () => row.change(null), {
    class: "seedream-link",
    "aria-label": translate("settings.remove_of", { name: row.text("label") }),
  });
  const state = make("span", { class: "seedream-set", id: `${row.id}-state` });
  const line = make("div", { class: "seedream-secret" }, input, save);
  return {
    element: make("div", {}, line, make("div", { class: "seedream-origins" }, state, remove)),
    show(now) {
      const known = now.is_needed ? (now.is_set ? "set" : "not_set") : "not_needed";
      state.textContent = translate(`settings.${known}`);
      state.dataset.set = known;
      input.disabled = !now.editable;
      input.placeholder = now.is_set ? "••••••••" : "";
      line.hidden = !now.editable;
      remove.hidden = !(now.editable && now.is_set && now.origin === "settings file");
    },
  };
}

function makeServiceControl(row, setting) {
  const [first, sandbox] = setting.suggested;
  const own = make("option", { value: "own", text: translate("service.own") });
  const select = make("select", {
    id: row.id,
    class: "seedream-input",
    "aria-describedby": row.descriptionIds(),
    onchange() {
      address.hidden = select.value !== "own";
      if (select.value === "own") address.focus();
      else row.change(select.value);
    },
  },
    make("option", { value: first, text: translate("service.deepspace") }),
    make("option", { value: sandbox, text: translate("service.sandbox") }),
    own,
  );
  const address = make("input", {
    id: `${row.id}-own`,
    class: "seedream-input",
    type: "url",
    autocomplete: "off",
    placeholder: "https://",
    "aria-label": translate("service.address"),
    onchange: () => address.value && row.change(address.value),
  });
  return {
    element: make("div", {}, select, address),
    show(now) {
      const known = setting.suggested.includes(now.value);
      select.value = known ? now.value : "own";
      select.disabled = address.disabled = !now.editable;
      own.disabled = now.only !== null && known;
      address.hidden = known;
      if (document.activeElement !== address) address.value = known ? "" : now.value;
    },
  };
}
