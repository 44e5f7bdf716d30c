// One setting: its label, its control, where its value came from, and why it may be fixed.
import { button, make, tell } from "./dom.js";
import { hasWord, language, word } from "./words.js";

/** A row of any setting. `save(changes)` resolves when the change is written down, or throws. */
export function settingRow(setting, save) {
  return new Row(setting, save, CONTROLS[setting.kind]);
}

/** The service's address: one of those known, or an own one. */
export function serviceRow(setting, save) {
  return new Row(setting, save, serviceControl);
}

class Row {
  constructor(setting, save, makeControl) {
    this.name = setting.name;
    this.id = `seedream-setting-${setting.name}`;
    this.error = make("p", { class: "seedream-error", role: "alert", hidden: true, id: `${this.id}-error` });
    this.reason = make("p", { class: "seedream-reason", hidden: true, id: `${this.id}-reason` });
    this.origin = make("span", { class: "seedream-origin" });
    this.reset = button(word("settings.reset"), () => this.change(null), {
      class: "seedream-link",
      "aria-label": word("settings.reset_of", { name: this.word("label") }),
    });
    this.write = save;
    this.control = makeControl(this, setting);
    this.element = this.laidOut();
  }

  word(part) {
    const key = `settings.${this.name}.${part}`;
    return hasWord(key) ? word(key) : part === "label" ? this.name : "";
  }

  laidOut() {
    const label = make("label", { class: "seedream-label", for: this.id, text: this.word("label") });
    const help = make("p", { class: "seedream-help", id: `${this.id}-help`, text: this.word("help") });
    const told = make("div", { class: "seedream-told" }, this.origin, this.reset);
    const left = make("div", { class: "seedream-about" }, label, help, this.reason, this.error);
    const right = make("div", { class: "seedream-control" }, this.control.element, told);
    return make("div", { class: "seedream-setting", "data-name": this.name }, left, right);
  }

  change = async (value) => {
    tell(this.error, "");
    try {
      await this.write({ [this.name]: value });
      this.element.dataset.saved = "yes";
    } catch (error) {
      tell(this.error, error.message);
    }
  };

  show(setting) {
    const spoken = language();
    this.control.show(setting);
    tell(this.error, setting.error?.[spoken]);
    tell(this.reason, setting.reason?.[spoken]);
    const origin = { environment: "environment", "settings file": "file", default: "default" }[setting.origin];
    this.element.dataset.origin = origin ?? "other";
    const isSilent = origin === "default" || !setting.is_needed;
    const told = [word(`origins.${origin ?? "other"}`), ...(setting.is_hidden ? [word("settings.part_hidden")] : [])];
    tell(this.origin, isSilent ? "" : told.join(" · "));
    this.reset.hidden = !setting.editable || setting.origin !== "settings file" || setting.kind === "secret";
  }

  described() {
    return `${this.id}-help ${this.id}-reason ${this.id}-error`;
  }
}

const CONTROLS = { text: textControl, number: textControl, choice: choiceControl, switch: switchControl, secret: secretControl };

function textControl(row, setting) {
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
    "aria-describedby": row.described(),
    onchange: () => row.change((sent = input.value)),
  });
  const show = (now) => {
    input.disabled = !now.editable;
    // Of an address with a secret part only the rest is known here: it is shown, and not sent back.
    input.placeholder = now.is_hidden ? now.value : now.default;
    const value = now.is_set && now.origin !== "default" && !now.is_hidden ? now.value : "";
    // What is being typed is not taken away by the answer to another field; what was sent gives way
    // to what was saved of it, so that no password stays in sight.
    const isTyping = document.activeElement === input && input.value !== sent;
    if (!isTyping || !now.editable) input.value = value;
  };
  return { element: input, show };
}

function choiceControl(row, setting) {
  const options = setting.words.map((value) => make("option", { value, text: word(`choices.${row.name}.${value}`) }));
  const select = make("select", {
    id: row.id,
    class: "seedream-input",
    "aria-describedby": row.described(),
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

function switchControl(row) {
  const input = make("input", {
    id: row.id,
    class: "seedream-switch",
    type: "checkbox",
    role: "switch",
    "aria-describedby": row.described(),
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

/** Goes once to our own route and never comes back: the field is empty whenever it is shown. */
function secretControl(row) {
  const input = make("input", {
    id: row.id,
    class: "seedream-input",
    type: "password",
    autocomplete: "new-password",
    spellcheck: "false",
    "data-1p-ignore": true,
    "data-lpignore": "true",
    "aria-describedby": row.described(),
    onkeydown: (event) => event.key === "Enter" && put(),
    oninput: () => (save.disabled = !input.value),
  });
  const put = async () => {
    const secret = input.value;
    input.value = "";
    save.disabled = true;
    if (secret) await row.change(secret);
  };
  const save = button(word("settings.save"), put, { disabled: true, "aria-label": word("settings.save_of", { name: row.word("label") }) });
  const remove = button(word("settings.remove"), () => row.change(null), {
    class: "seedream-link",
    "aria-label": word("settings.remove_of", { name: row.word("label") }),
  });
  const state = make("span", { class: "seedream-set", id: `${row.id}-state` });
  const line = make("div", { class: "seedream-secret" }, input, save);
  return {
    element: make("div", {}, line, make("div", { class: "seedream-told" }, state, remove)),
    show(now) {
      const known = now.is_needed ? (now.is_set ? "set" : "not_set") : "not_needed";
      state.textContent = word(`settings.${known}`);
      state.dataset.set = known;
      input.disabled = !now.editable;
      input.placeholder = now.is_set ? "••••••••" : "";
      line.hidden = !now.editable;
      remove.hidden = !(now.editable && now.is_set && now.origin === "settings file");
    },
  };
}

function serviceControl(row, setting) {
  const [first, sandbox] = setting.suggested;
  const own = make("option", { value: "own", text: word("service.own") });
  const select = make("select", {
    id: row.id,
    class: "seedream-input",
    "aria-describedby": row.described(),
    onchange() {
      address.hidden = select.value !== "own";
      if (select.value === "own") address.focus();
      else row.change(select.value);
    },
  },
    make("option", { value: first, text: word("service.deepspace") }),
    make("option", { value: sandbox, text: word("service.sandbox") }),
    own,
  );
  const address = make("input", {
    id: `${row.id}-own`,
    class: "seedream-input",
    type: "url",
    autocomplete: "off",
    placeholder: "https://",
    "aria-label": word("service.address"),
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
