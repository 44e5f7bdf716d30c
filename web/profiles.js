// Profiles in the settings panel: keys with their addresses under names. A key goes to the server once
// and never returns.
import { call, saveSettings } from "./api.js";
import { make, makeButton, setText } from "./dom.js";
import { renderChecks, renderFinding, showFindings } from "./findings.js";
import { getLanguage, translate } from "./i18n.js";

const DEEPSPACE = "https://api.deepspaceai.net";
const SANDBOX = "sandbox";

/** Makes the list of profiles; it fills itself and has a form to add one. */
export function makeProfiles() {
  return new Profiles().element;
}

class Profiles {
  constructor() {
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true });
    this.list = make("ul", { class: "seedream-profiles", id: "seedream-profiles", "aria-labelledby": "seedream-section-profiles" });
    this.add = makeButton(translate("profiles.add"), () => this.openForm(), { id: "seedream-profile-add" });
    this.form = make("div", { class: "seedream-profile-form", hidden: true });
    const help = make("p", { class: "seedream-help", text: translate("profiles.help") });
    this.element = make("div", {}, help, this.problem, this.list, this.form, this.add);
    this.load();
  }

  async load() {
    try {
      this.show(await call("/profiles"));
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  show(listing) {
    setText(this.problem, listing.error?.[getLanguage()]);
    this.add.disabled = !listing.editable;
    this.list.replaceChildren(...listing.profiles.map((profile) => this.makeRow(profile)));
    this.list.hidden = listing.profiles.length === 0;
  }

  makeRow(profile) {
    const { name } = profile;
    const findings = make("div", { class: "seedream-findings", "aria-live": "polite" });
    const state = profile.is_needed ? (profile.is_set ? "set" : "not_set") : "not_needed";
    const about = make("div", { class: "seedream-about" },
      make("strong", { text: name }),
      make("span", { class: "seedream-value", text: describeAddress(profile.address) }),
      make("span", { class: "seedream-set", "data-set": state, text: translate(`profiles.key_${state}`) }),
    );
    const buttons = make("div", { class: "seedream-buttons" },
      makeButton(translate("profiles.check"), () => check(name, findings), { "aria-label": translate("profiles.check_of", { name }) }),
      ...(profile.editable ? [
        makeButton(translate("profiles.edit"), () => this.openForm(profile), { "aria-label": translate("profiles.edit_of", { name }) }),
        this.makeRemover(name, findings),
      ] : []),
    );
    const error = make("p", { class: "seedream-error" });
    setText(error, profile.error?.[getLanguage()]);
    const reason = make("p", { class: "seedream-reason" });
    setText(reason, profile.reason?.[getLanguage()]);
    return make("li", { class: "seedream-profile", "data-profile": name }, about, buttons, error, reason, findings);
  }

  /** Makes a button that must be pressed twice, because the key cannot be restored. */
  makeRemover(name, findings) {
    let isSure = false;
    const button = makeButton(translate("profiles.remove"), async () => {
      if (!isSure) {
        isSure = true;
        button.textContent = translate("profiles.remove_sure");
        button.classList.add("seedream-danger");
        return;
      }
      try {
        this.show(await saveSettings("/profiles/remove", { name }));
      } catch (error) {
        findings.replaceChildren(renderFinding("problem", "", error.message));
      }
    }, { "aria-label": translate("profiles.remove_of", { name }) });
    button.addEventListener("blur", () => {
      isSure = false;
      button.textContent = translate("profiles.remove");
      button.classList.remove("seedream-danger");
    });
    return button;
  }

  openForm(profile = null) {
    this.form.replaceChildren(makeForm(profile, (listing) => {
      this.closeForm();
      if (listing) this.show(listing);
    }));
    this.form.hidden = false;
    this.add.hidden = true;
    this.form.querySelector("input").focus();
  }

  closeForm() {
    this.form.replaceChildren();
    this.form.hidden = true;
    this.add.hidden = false;
  }
}

function describeAddress(address) {
  if (address === DEEPSPACE) return translate("service.deepspace");
  return address === SANDBOX ? translate("service.sandbox") : address;
}

function check(name, place) {
  return showFindings(place, translate("check.running"), () => call("/profiles/test", { name }), renderChecks);
}

/** Makes the form of a new profile, or of a saved one. `close(listing)` gets what was saved, if anything. */
function makeForm(profile, close) {
  const field = (id, input) => make("label", { class: "seedream-field" }, make("span", { class: "seedream-label", text: translate(`profiles.${id}`) }), input);
  const input = (id, properties) => make("input", { id: `seedream-profile-${id}`, class: "seedream-input", autocomplete: "off", spellcheck: "false", ...properties });
  const name = input("name", { type: "text", maxlength: 40, value: profile?.name });
  const address = input("address", { type: "text", list: "seedream-profile-addresses", value: profile?.address ?? DEEPSPACE });
  const key = input("key", { type: "password", autocomplete: "new-password", "data-1p-ignore": true, "data-lpignore": "true", placeholder: profile?.is_set ? "••••••••" : "" });
  const known = make("datalist", { id: "seedream-profile-addresses" }, make("option", { value: DEEPSPACE }), make("option", { value: SANDBOX }));
  const problem = make("p", { class: "seedream-error", role: "alert", hidden: true });
  const help = make("p", { class: "seedream-help", text: translate(profile ? "profiles.form_help_edit" : "profiles.form_help") });
  const form = make("form", {}, field("name", name), field("address", address), field("key", key), known, help, problem,
    make("div", { class: "seedream-buttons" },
      make("button", { type: "submit", class: "seedream-button", id: "seedream-profile-save", text: translate("settings.save") }),
      makeButton(translate("actions.cancel"), () => close(null)),
    ));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = { name: name.value, address: address.value, key: key.value, is_new: !profile };
    key.value = "";
    setText(problem, "");
    try {
      close(await save(profile, values));
    } catch (error) {
      setText(problem, error.message);
    }
  });
  return form;
}

/** Saves key and address first: if they are refused, the name stays too. */
async function save(profile, values) {
  if (!profile) return saveSettings("/profiles", values);
  const listing = await saveSettings("/profiles", { ...values, name: profile.name });
  if (values.name.trim() === profile.name) return listing;
  return saveSettings("/profiles/rename", { name: profile.name, new_name: values.name });
}
