// The editor of model entries in the settings panel: their JSON and a form beside it, the place of a
// mistake, and entries for models that the service offers and that no entry describes.
import { app } from "../../scripts/app.js";
import { call, saveSettings } from "./api.js";
import { hold, make, makeButton, makeFields, setText } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";
import { ModelForm } from "./model_form.js";
import { findLine, formatEntries, parseEntries } from "./model_text.js";

const CHECK_AFTER_MS = 300;

/** Makes the editor; it fills itself. */
export function makeModelEditor() {
  return new ModelEditor().element;
}

class ModelEditor {
  constructor() {
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true, id: "seedream-models-problem" });
    this.reason = make("p", { class: "seedream-reason", hidden: true });
    this.path = make("code", { class: "seedream-home" });
    this.text = make("textarea", { id: "seedream-models-text", class: "seedream-input seedream-models", rows: 12, spellcheck: "false", wrap: "off", "aria-describedby": this.problem.id });
    this.form = new ModelForm((entries) => this.write(entries));
    this.fields = makeFields("seedream-model-editor",
      this.form.element,
      make("div", { class: "seedream-model-json" }, make("label", { class: "seedream-label", for: this.text.id, text: translate("models.json") }), this.text),
    );
    this.saveButton = makeButton(translate("settings.save"), () => this.save(), { id: "seedream-models-save", disabled: true });
    this.liveButton = makeButton(translate("models.ask"), () => this.ask(), { id: "seedream-models-live" });
    this.state = make("span", { class: "seedream-value", role: "status" });
    this.offers = make("ul", { class: "seedream-offers", id: "seedream-models-offers" });
    this.checks = 0;
    this.element = make("div", {},
      make("p", { class: "seedream-label", text: translate("models.title") }),
      make("p", { class: "seedream-help" }, `${translate("models.help")} `, this.path),
      this.reason,
      this.fields,
      this.problem,
      make("div", { class: "seedream-buttons" }, this.saveButton, this.liveButton, this.state),
      this.offers,
    );
    this.text.addEventListener("input", () => this.read());
    this.run(async () => {
      const listing = await call("/models");
      this.form.describe(listing.fields, listing.editable);
      await this.show(listing);
    });
  }

  async show(listing) {
    this.text.value = listing.text;
    this.text.readOnly = !listing.editable;
    this.fields.disabled = false;
    this.saveButton.disabled = !listing.editable;
    this.path.textContent = listing.path;
    setText(this.reason, listing.reason?.[getLanguage()]);
    this.fail(listing.error?.[getLanguage()]);
    this.form.report(null, listing.models);
    this.form.show(parseEntries(listing.text));
    if (listing.error) await this.check();
  }

  /** Shows a mistake, and selects the line that it names. */
  fail(message) {
    setText(this.problem, message);
    const line = Number(/line (\d+)|第 (\d+) 行/.exec(message ?? "")?.slice(1).find(Boolean));
    if (line) this.text.setSelectionRange(...findLine(this.text.value, line));
  }

  /** Takes over what the user typed into the text. */
  read() {
    this.form.show(parseEntries(this.text.value));
    this.checkSoon();
  }

  /** Takes over what the user changed in the form. */
  write(entries) {
    this.text.value = formatEntries(entries);
    this.form.show(entries);
    this.checkSoon();
  }

  checkSoon() {
    setText(this.state, "");
    setText(this.problem, "");
    this.checks++; // a running check is of an older text
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(() => this.check()), CHECK_AFTER_MS);
  }

  /** Asks the server for the first mistake of the text, shows it at its field, and returns it. */
  async check() {
    clearTimeout(this.timer);
    const number = ++this.checks;
    const { problem, models } = await call("/models/check", { text: this.text.value });
    if (number === this.checks) this.form.report(problem, models);
    return problem;
  }

  async run(work) {
    setText(this.problem, "");
    try {
      await work();
    } catch (error) {
      this.fail(error.message);
    }
  }

  save() {
    if (this.fields.disabled) return;
    this.run(async () => {
      const { problem, listing } = await hold(this.fields, () => this.send());
      if (problem) {
        this.fail(problem[getLanguage()]);
        this.form.focusProblem();
        return;
      }
      await this.show(listing);
      setText(this.state, translate("models.saved", { count: listing.added.length }));
      await app.refreshComboInNodes?.();
    });
  }

  /** Saves the text unless it has a mistake; returns that, or what the server has now. */
  async send() {
    const problem = await this.check();
    return { problem, listing: problem ? null : await saveSettings("/models", { text: this.text.value }) };
  }

  ask() {
    return this.run(async () => {
      const { is_open, offered, missing } = await call("/models/live", {});
      setText(this.state, is_open ? "" : translate("models.closed"));
      const absent = missing.map((id) => make("li", { text: translate("models.missing", { id }) }));
      this.offers.replaceChildren(...offered.map((one) => this.makeOffer(one)), ...absent);
    });
  }

  makeOffer(offered) {
    if (!offered.suggestion) return make("li", { text: translate("models.known", { id: offered.id }) });
    const add = makeButton(translate("models.add"), () => this.add(offered.suggestion), {
      disabled: this.text.readOnly,
      "aria-label": translate("models.add_of", { id: offered.id }),
    });
    return make("li", {}, `${translate("models.new", { id: offered.id, like: offered.suggestion.like })} `, add);
  }

  /** Adds an entry to the text and shows it in the form; the user corrects and saves it. */
  add(entry) {
    if (this.fields.disabled) return;
    if (parseEntries(this.text.value) === null) {
      setText(this.problem, translate("models.not_json"));
      return;
    }
    this.form.add(entry);
    setText(this.state, translate("models.added", { id: entry.id }));
    this.form.select.focus();
  }
}
