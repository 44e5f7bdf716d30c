// The sidebar tab: every paid request of this ledger, updated live.
import { onTask } from "./api.js";
import { addNode } from "./canvas_actions.js";
import { make, makeButton, setText } from "./dom.js";
import { loadTranslations, translate } from "./i18n.js";
import { collectAll } from "./recovery.js";
import { TaskActions } from "./task_actions.js";
import { TaskDrop } from "./task_drop.js";
import { TaskDetails } from "./task_details.js";
import { TaskList } from "./task_list.js";
import { openMenu } from "./task_menu.js";
import { TaskSearch } from "./task_search.js";
import { TaskStore } from "./task_store.js";
import { TaskViewer } from "./task_viewer.js";

const STATUS_MS = 4000;
const AGE_MS = 60_000;

let panel = null;

export const taskPanel = {
  open(place) {
    panel?.destroy();
    panel = new Panel(place);
  },
  close() {
    panel?.destroy();
    panel = null;
  },
};

class Panel {
  constructor(place) {
    this.root = make("div", { class: "seedream-tasks", id: "seedream-tasks" });
    place.style.height = "100%";
    place.replaceChildren(this.root);
    this.isOpen = true;
    loadTranslations().then(() => this.isOpen && this.start());
  }

  start() {
    this.store = new TaskStore((task) => this.onChange(task), () => this.search.showOverview());
    this.search = new TaskSearch(this.store, () => (this.list.element.scrollTop = 0));
    this.actions = this.makeActions((text) => this.report(text), this.root);
    this.list = new TaskList(this.store, {
      onChoose: (task) => this.details.show(task),
      onOpen: (task) => (task.stored.length ? this.view(task) : this.details.focus()),
      onSelect: () => this.showSelection(),
      onMenu: (task, event) => this.showMenu(task, event),
    });
    this.details = new TaskDetails(this.actions, () => this.list.element.focus());
    this.status = make("div", { class: "seedream-status", role: "status", hidden: true });
    this.empty = make("div", { class: "seedream-nothing", hidden: true });
    this.selection = make("section", { class: "seedream-selection", hidden: true, "aria-label": translate("tasks.selection") });
    this.root.append(this.makeHead(), this.empty, this.list.element, this.status, this.selection, this.details.element);
    this.drop = new TaskDrop(this.root, { view: (task) => this.show(task), report: (text) => this.report(text) });
    this.unsubscribe = onTask((task) => this.store.update(task));
    this.onFocus = () => document.visibilityState === "visible" && this.store.refresh();
    window.addEventListener("focus", this.onFocus);
    this.ageTimer = setInterval(() => this.list.redraw(), AGE_MS);
    this.store.refresh();
  }

  destroy() {
    this.isOpen = false;
    this.unsubscribe?.();
    window.removeEventListener("focus", this.onFocus);
    clearInterval(this.ageTimer);
    clearTimeout(this.statusTimer);
    for (const part of [this.list, this.store, this.search]) part?.destroy();
    this.root.remove();
  }

  makeHead() {
    const more = makeButton("", () => this.showListMenu(more), {
      id: "seedream-list-menu",
      class: "seedream-icon pi pi-ellipsis-h",
      "aria-haspopup": "menu",
      "aria-label": translate("tasks.more"),
      title: translate("tasks.more"),
    });
    return make("header", { class: "seedream-head" },
      make("div", { class: "seedream-title" }, make("h2", { text: translate("tasks.title") }), more),
      this.search.element,
    );
  }

  showListMenu(at) {
    openMenu(this.root, at, [
      ...this.actions.listExports(),
      { name: "collect_all", text: translate("recovery.collect"), icon: "pi-cloud-download", act: () => this.collectAll() },
      { name: "find", text: translate("receipt.find"), icon: "pi-image", act: () => this.drop.choose() },
      { name: "refresh", text: translate("tasks.refresh"), icon: "pi-refresh", act: () => this.store.refresh() },
    ]);
  }

  collectAll() {
    this.report(translate("recovery.collecting"));
    return collectAll((text) => this.report(text));
  }

  makeActions(report, place) {
    return new TaskActions({
      report,
      place,
      view: (task, at) => this.view(task, at),
      compare: (images) => this.openViewer().compare(images),
      getQuery: (more) => this.store.toQuery(more),
    });
  }

  openViewer() {
    const makeActions = (report, place) => this.makeActions(report, place);
    this.viewer = new TaskViewer(this.store, makeActions, (task) => this.onViewed(task));
    return this.viewer;
  }

  /** Shows a task that was found by a file, which the list may not hold now. */
  show(task) {
    if (task.stored.length) this.view(task);
    else this.details.show(task);
  }

  view(task, at = 0) {
    this.openViewer().view(task, at);
  }

  /** Chooses the task that the big view showed last. */
  onViewed(task) {
    this.viewer = null;
    const index = task ? this.store.indexOf(task.id) : -1;
    if (index >= 0 && !this.list.selected.size) this.list.choose(index);
    this.list.element.focus();
  }

  showMenu(task, event) {
    const { selected } = this.list;
    if (selected.has(task.id)) openMenu(this.root, event, this.actions.listManyEntries([...selected.values()]));
    else this.actions.openTaskMenu(task, event);
  }

  showSelection() {
    const tasks = [...this.list.selected.values()];
    this.selection.hidden = tasks.length === 0;
    this.details.element.hidden = tasks.length > 0 || !this.details.task;
    if (!tasks.length) return;
    this.selection.replaceChildren(
      make("header", {},
        make("h3", { text: translate("tasks.selected", { count: tasks.length }), "aria-live": "polite" }),
        makeButton("", () => this.list.clearSelection(), { class: "seedream-icon pi pi-times", "aria-label": translate("tasks.unselect"), title: translate("tasks.unselect") }),
      ),
      make("div", { class: "seedream-actions" }, ...this.actions.makeManyButtons(tasks)),
    );
  }

  onChange(task) {
    const { store } = this;
    this.showEmpty();
    this.list.scheduleDraw();
    const shown = this.details.task;
    const now = task?.id === shown?.id ? task : store.rows[store.indexOf(shown?.id)];
    if (shown && now && now !== shown) this.details.show(now);
    if (this.list.selected.has(task?.id)) this.list.selected.set(task.id, task);
    if (task) this.viewer?.update(task);
  }

  /** Shows why there is nothing to see, with the next step. */
  showEmpty() {
    const { store } = this;
    const isEmpty = store.error !== null || !store.total;
    this.empty.hidden = !isEmpty;
    this.list.element.hidden = isEmpty;
    if (!isEmpty) return;
    const step = (name, act) => makeButton(translate(`tasks.${name}`), act, { class: "seedream-button seedream-primary", "data-action": name });
    const parts = store.error
      ? [make("p", { text: store.error.message }), step("retry", () => store.refresh())]
      : store.isFiltered
        ? [make("p", { text: translate("tasks.none_found") }), step("clear", () => this.search.clear())]
        : [make("p", { text: translate("tasks.empty") }), step("add", () => addNode("SeedreamEvolink", {}))];
    this.empty.replaceChildren(make("span", { class: "pi pi-images", "aria-hidden": "true" }), ...parts);
  }

  report(text) {
    setText(this.status, text);
    clearTimeout(this.statusTimer);
    this.statusTimer = setTimeout(() => setText(this.status, ""), STATUS_MS);
  }
}
