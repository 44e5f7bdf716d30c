// The form of a model entry: one control per key that the server describes. What an entry leaves out is
// shown as the model that it is like has it.
import { make, makeButton, setText } from "./dom.js";
import { getLanguage, hasTranslation, translate } from "./i18n.js";
import { makeControl } from "./model_controls.js";
import { changeEntry, isObject } from "./model_text.js";

const FAMILY = "family";
const NEW_ID = "New-model";

/** The form beside the text. `change(entries)` receives the entries whenever the user changed one. */
export class ModelForm {
  constructor(change) {
    this.change = change;
    this.entries = [];
    this.models = [];
    this.fields = [];
    this.index = 0;
    this.select = make("select", { id: "seedream-models-entry", class: "seedream-input", onchange: () => this.pick(Number(this.select.value)) });
    // Everything can be used once the server has described it.
    this.addButton = makeButton(translate("models.add"), () => this.addNew(), { id: "seedream-models-add", disabled: true });
    this.removeButton = makeButton(translate("models.remove"), () => this.remove(), { id: "seedream-models-remove", disabled: true });
    this.note = make("p", { class: "seedream-help", role: "status" });
    this.rows = make("div", { class: "seedream-model-rows" });
    this.element = make("div", { class: "seedream-model-form", role: "group", "aria-label": translate("models.form") },
      make("label", { class: "seedream-label", for: this.select.id, text: translate("models.entry") }),
      make("div", { class: "seedream-buttons" }, this.select, this.addButton, this.removeButton),
      this.note, this.rows,
    );
  }

  /** Builds the controls of the keys that the server describes. */
  describe(fields, isEditable) {
    this.isEditable = isEditable;
    this.fields = fields.map((field) => new FormField(field, (value) => this.set(field.key, value)));
    this.keys = fields.map((field) => field.key);
    this.rows.replaceChildren(...this.fields.map((field) => field.element));
  }

  /** Shows the entries of the text; null: it cannot be read. */
  show(entries) {
    this.isReadable = entries !== null;
    this.entries = entries ?? this.entries;
    this.index = Math.max(0, Math.min(this.index, this.entries.length - 1));
    const names = this.entries.map((entry, index) => `${index + 1}: ${isObject(entry) ? (entry.id ?? "") : ""}`);
    this.select.replaceChildren(...names.map((text, value) => make("option", { value, text })));
    this.select.value = String(this.index);
    this.render();
  }

  /** Shows the first mistake of the text at its field, and what the models of the text have. */
  report(problem, models) {
    this.problem = problem;
    this.isChecked = problem === null;
    this.models = models ?? this.models;
    this.render(true);
  }

  /** Goes to the field of the mistake, if it is in one. */
  focusProblem() {
    if (this.problem?.entry === undefined) return;
    this.pick(this.problem.entry);
    this.fields.find(({ key }) => key === this.problem.key)?.focus();
  }

  pick(index) {
    this.index = index;
    this.select.value = String(index);
    this.render();
  }

  /** Shows the current entry; `isTyping`: without replacing what the user may be typing. */
  render(isTyping = false) {
    const entry = this.entries[this.index];
    const canEdit = this.isReadable && this.isEditable;
    const note = this.isReadable ? (this.entries.length ? "" : translate("models.none")) : translate("models.unreadable");
    setText(this.note, note);
    this.addButton.disabled = !canEdit;
    this.removeButton.disabled = this.select.disabled = !canEdit || !this.entries.length;
    this.rows.hidden = !isObject(entry);
    if (!isObject(entry)) return;
    const facts = this.collectFacts(entry);
    const problem = this.problem?.entry === this.index ? this.problem : null;
    for (const field of this.fields) field.show(entry, facts, canEdit, isTyping, problem?.key === field.key ? problem : null);
  }

  /** Collects what the controls of an entry need to know about it and about the other models. */
  collectFacts(entry) {
    const relatives = this.models.filter((model) => model.family === entry[FAMILY] && model.id !== entry.id);
    const base = relatives.find((model) => model.id === entry.like) ?? relatives[0];
    // The server knows best what an entry without mistakes has.
    const inherited = (this.isChecked && this.models.find((model) => model.id === entry.id)) || base || {};
    const list = (key) => [entry[key] ?? inherited[key]].flat().filter((one) => one !== undefined);
    const lists = { sizes: list("sizes"), qualities: list("qualities") };
    const tiers = (lists.qualities.length ? lists.qualities : lists.sizes).map(String);
    return { base, inherited, lists, tiers, ids: relatives.map((model) => model.id) };
  }

  set(key, value) {
    const changed = changeEntry(this.entries[this.index], this.keys, key, value);
    this.isChecked = false;
    this.change(this.entries.with(this.index, changed));
  }

  addNew() {
    this.add({ id: NEW_ID, family: this.models.at(-1)?.family });
    this.fields.find(({ key }) => key === "id")?.focus(true);
  }

  /** Adds an entry and shows it. */
  add(entry) {
    this.index = this.entries.length;
    this.change([...this.entries, entry]);
  }

  remove() {
    this.change(this.entries.toSpliced(this.index, 1));
    this.select.focus();
  }
}

/** One key: its label, its control, where its value comes from, and what is wrong with it. */
class FormField {
  constructor(field, change) {
    this.field = field;
    this.key = field.key;
    this.id = `seedream-model-${field.key}`;
    this.text = (part) => (hasTranslation(`models.fields.${field.key}.${part}`) ? translate(`models.fields.${field.key}.${part}`) : part === "label" ? field.key : "");
    const label = { id: `${this.id}-label`, class: "seedream-label", text: this.text("label") };
    const describedBy = `${this.id}-help ${this.id}-origin ${this.id}-problem`;
    const properties = { id: this.id, "aria-labelledby": label.id, "aria-describedby": describedBy };
    this.control = makeControl(field, properties, change, (kind) => this.fail(translate(`models.unreadable_${kind}`)));
    this.origin = make("span", { id: `${this.id}-origin`, class: "seedream-origin" });
    this.reset = makeButton("", () => change(undefined), { class: "seedream-link" });
    this.problem = make("p", { id: `${this.id}-problem`, class: "seedream-error" });
    this.element = make("div", { class: "seedream-model-row", "data-key": field.key },
      make("label", { for: this.id, ...label }),
      make("p", { id: `${this.id}-help`, class: "seedream-help", text: this.text("help") }),
      this.control.element,
      make("div", { class: "seedream-origins" }, this.origin, this.reset),
      this.problem,
    );
  }

  show(entry, facts, canEdit, isTyping, problem) {
    const isGiven = this.key in entry;
    const isOther = this.field.only !== null && this.field.only !== entry[FAMILY];
    this.element.hidden = isOther && !isGiven;
    if (!isTyping || !this.control.element.contains(document.activeElement)) {
      this.control.show(isGiven ? entry[this.key] : facts.inherited[this.key], facts);
    }
    for (const control of [this.control.element, ...this.control.element.querySelectorAll("input")]) control.disabled = !canEdit;
    this.element.dataset.given = isGiven ? "yes" : "no";
    const base = facts.base?.id;
    const isTaken = this.field.kind !== "amounts" && base !== undefined && this.key !== "like";
    setText(this.origin, isGiven || this.field.is_required ? "" : isTaken ? translate("models.as", { id: base }) : translate("models.not_given"));
    this.reset.textContent = isTaken ? translate("models.take", { id: base }) : translate("models.leave_out");
    this.reset.setAttribute("aria-label", `${this.text("label")}: ${this.reset.textContent}`);
    this.reset.hidden = !isGiven || this.field.is_required || !canEdit;
    this.fail(problem ? translate("models.allowed", { allowed: problem.allowed[getLanguage()] }) : "");
  }

  fail(text) {
    setText(this.problem, text);
    this.control.element.setAttribute("aria-invalid", String(Boolean(text)));
  }

  focus(isWhole = false) {
    const control = this.control.element.matches("input, select, textarea") ? this.control.element : this.control.element.querySelector("input");
    control.focus();
    if (isWhole) control.select();
  }
}
