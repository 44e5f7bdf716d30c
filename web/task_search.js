// The head of the panel's list: search words, groups with their counts, and model and date.
import { make, makeButton } from "./dom.js";
import { translate } from "./i18n.js";
import { GROUPS } from "./task_store.js";

const TYPING_MS = 200;

export class TaskSearch {
  /** `onChoose()` is called after the store's conditions have changed. */
  constructor(store, onChoose) {
    this.store = store;
    this.onChoose = onChoose;
    this.words = make("input", {
      id: "seedream-search",
      class: "seedream-input",
      type: "search",
      placeholder: translate("tasks.search"),
      "aria-label": translate("tasks.search"),
      autocomplete: "off",
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.choose({ text: this.words.value }), TYPING_MS);
      },
    });
    this.more = makeButton("", () => this.toggleConditions(), {
      id: "seedream-conditions",
      class: "seedream-icon pi pi-sliders-h",
      title: translate("tasks.conditions"),
      "aria-label": translate("tasks.conditions"),
      "aria-expanded": "false",
    });
    this.groups = make("div", { class: "seedream-groups", role: "group", "aria-label": translate("tasks.filter") });
    this.conditions = this.makeConditions();
    this.element = make("div", { class: "seedream-tools" },
      make("div", { class: "seedream-search" }, make("span", { class: "pi pi-search", "aria-hidden": "true" }), this.words, this.more),
      this.conditions,
      this.groups,
    );
  }

  destroy() {
    clearTimeout(this.typing);
  }

  makeConditions() {
    this.model = make("select", { id: "seedream-model", class: "seedream-input", onchange: () => this.choose({ model: this.model.value }) });
    this.since = this.makeDate("since");
    this.before = this.makeDate("before");
    this.forgotten = make("input", { type: "checkbox", id: "seedream-forgotten", onchange: () => this.choose({ forgotten: this.forgotten.checked, group: "" }) });
    const label = (text, control) => make("label", {}, make("span", { text }), control);
    return make("div", { class: "seedream-conditions", hidden: true },
      label(translate("details.model"), this.model),
      label(translate("tasks.since"), this.since),
      label(translate("tasks.before"), this.before),
      make("label", { class: "seedream-option" }, this.forgotten, make("span", { text: translate("filters.forgotten") })),
    );
  }

  makeDate(name) {
    const date = make("input", { type: "date", id: `seedream-${name}`, class: "seedream-input", onchange: () => this.choose({ [name]: date.value }) });
    return date;
  }

  toggleConditions() {
    const isOpen = this.conditions.hidden;
    this.conditions.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.model.focus();
  }

  choose(conditions) {
    this.store.choose(conditions);
    this.onChoose();
    this.showOverview();
  }

  clear() {
    this.store.clearFilter();
    this.words.value = this.model.value = this.since.value = this.before.value = "";
    this.forgotten.checked = false;
    this.onChoose();
    this.showOverview();
  }

  /** Shows counts and models; groups without tasks are left out. */
  showOverview() {
    const { overview, filter } = this.store;
    if (!overview) return;
    const shown = GROUPS.filter((name) => overview.groups[name] || name === filter.group);
    const focused = document.activeElement?.dataset?.group;
    this.groups.replaceChildren(this.makeGroup("", overview.total), ...shown.map((name) => this.makeGroup(name, overview.groups[name])));
    if (focused !== undefined) this.groups.querySelector(`[data-group="${focused}"]`)?.focus();
    this.groups.hidden = !overview.total || filter.forgotten;
    this.showModels(overview.models);
    const isUsed = filter.model || filter.since || filter.before || filter.forgotten;
    this.more.classList.toggle("seedream-used", Boolean(isUsed));
  }

  makeGroup(name, count) {
    const word = name || "all";
    return make("button", {
      type: "button",
      class: "seedream-group",
      "data-group": name,
      "aria-pressed": String(this.store.filter.group === name),
      onclick: () => this.choose({ group: name }),
    }, translate(`filters.${word}`), make("span", { class: "seedream-number", text: count.toLocaleString() }));
  }

  showModels(models) {
    if (this.known === models.join()) return;
    this.known = models.join();
    const all = make("option", { value: "", text: translate("tasks.every_model") });
    this.model.replaceChildren(all, ...models.map((value) => make("option", { value, text: value })));
    this.model.value = this.store.filter.model;
  }
}
