// The price table in the settings panel: what an image of each model costs. The service publishes no
// prices, so an empty field means that the price is unknown.
import { call, saveSettings } from "./api.js";
import { hold, make, makeButton, makeFields, setText } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";

const REFERENCE = "reference";
const DEFAULT_CURRENCY = "CNY";

/** Makes the table; it fills itself. */
export function makePriceTable() {
  return new PriceTable().element;
}

class PriceTable {
  constructor() {
    this.fields = new Map();
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true, id: "seedream-prices-problem" });
    this.reason = make("p", { class: "seedream-reason", hidden: true });
    this.currency = make("input", { id: "seedream-currency", class: "seedream-input", type: "text", maxlength: 3, size: 5, autocomplete: "off", spellcheck: "false", placeholder: DEFAULT_CURRENCY });
    this.table = make("table", { class: "seedream-prices", id: "seedream-prices" });
    this.inputs = makeFields("",
      make("label", { class: "seedream-field" }, make("span", { class: "seedream-label", text: translate("prices.currency") }), this.currency),
      make("div", { class: "seedream-scroll" }, this.table),
    );
    this.state = make("span", { class: "seedream-value", role: "status" });
    this.file = make("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: () => this.import() });
    const makeAction = (text, press, id) => makeButton(text, press, { id, disabled: true });
    this.buttons = [
      makeAction(translate("settings.save"), () => this.save(this.collect()), "seedream-prices-save"),
      makeAction(translate("prices.import"), () => this.file.click()),
      makeAction(translate("prices.export"), () => this.export()),
    ];
    this.element = make("div", {},
      make("p", { class: "seedream-label", text: translate("prices.title") }),
      make("p", { class: "seedream-help", text: translate("prices.help") }),
      this.problem, this.reason, this.inputs,
      make("div", { class: "seedream-buttons" }, ...this.buttons, this.state),
      this.file,
    );
    this.element.addEventListener("input", () => setText(this.state, ""));
    this.load();
  }

  async load() {
    try {
      this.show(await call("/prices"));
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  show(listing) {
    this.listing = listing;
    setText(this.problem, listing.error?.[getLanguage()]);
    setText(this.reason, listing.reason?.[getLanguage()]);
    this.currency.value = listing.prices.currency;
    const tiers = [...new Set(listing.models.flatMap((model) => model.tiers))].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    const names = [...tiers, REFERENCE];
    const head = names.map((name) => make("th", { scope: "col", text: name === REFERENCE ? translate("prices.reference") : name }));
    this.fields.clear();
    this.table.replaceChildren(
      make("thead", {}, make("tr", {}, make("th", { scope: "col", text: translate("prices.model") }), ...head)),
      make("tbody", {}, ...listing.models.map((model) => this.makeRow(model, names, listing.prices.models[model.id]))),
    );
    for (const control of [this.inputs, ...this.buttons]) control.disabled = !listing.editable;
  }

  makeRow(model, names, prices = {}) {
    const fields = new Map();
    const cells = names.map((name) => {
      if (name !== REFERENCE && !model.tiers.includes(name)) return make("td", { "aria-hidden": "true" });
      const input = make("input", {
        class: "seedream-input",
        type: "text",
        inputmode: "decimal",
        size: 6,
        autocomplete: "off",
        placeholder: name === REFERENCE ? "0" : "?",
        value: typeof prices === "string" ? (name === REFERENCE ? "" : prices) : prices[name],
        "aria-label": translate("prices.field", { model: model.id, name: name === REFERENCE ? translate("prices.reference") : name }),
      });
      fields.set(name, input);
      return make("td", {}, input);
    });
    this.fields.set(model.id, fields);
    return make("tr", { "data-model": model.id }, make("th", { scope: "row", text: model.id }), ...cells);
  }

  /** Collects the table in the form of prices.json. Models without a price are left out. */
  collect() {
    const models = {};
    for (const [id, fields] of this.fields) {
      const entries = [...fields].map(([name, input]) => [name, input.value.trim().replace(",", ".")]).filter(([, price]) => price);
      if (entries.length) models[id] = Object.fromEntries(entries);
    }
    return { currency: this.currency.value.trim().toUpperCase() || this.currency.placeholder, models };
  }

  async save(prices) {
    if (this.inputs.disabled) return;
    setText(this.problem, "");
    try {
      this.show(await hold(this.inputs, () => saveSettings("/prices", { prices })));
      setText(this.state, translate("prices.saved"));
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  async import() {
    const [file] = this.file.files;
    this.file.value = "";
    try {
      await this.save(JSON.parse(await file.text()));
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  export() {
    const text = JSON.stringify(this.listing.prices, null, 1);
    downloadText(text, "prices.json", "application/json");
  }
}

/** Offers a text of this page as a file. */
export function downloadText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
