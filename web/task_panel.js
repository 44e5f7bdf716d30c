// The sidebar tab: every paid request of this ComfyUI, updated live.
import { onTask } from "./api.js";
import { make, makeButton, setText } from "./dom.js";
import { loadTranslations, translate } from "./i18n.js";
import { TaskDetails } from "./task_details.js";
import { TaskList } from "./task_list.js";
import { FILTERS, TaskStore } from "./task_store.js";

const TYPING_MS = 250;
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
    this.store = new TaskStore((task) => this.onChange(task));
    this.list = new TaskList(this.store, (task) => this.details.show(task), () => this.details.focus());
    this.details = new TaskDetails((text) => this.report(text), () => this.list.element.focus());
    this.count = make("span", { class: "seedream-count", "aria-live": "polite" });
    this.status = make("div", { class: "seedream-status", role: "status", hidden: true });
    this.empty = make("p", { class: "seedream-nothing", hidden: true });
    this.root.append(this.makeHead(), this.empty, this.list.element, this.status, this.details.element);
    this.unsubscribe = onTask((task) => this.store.update(task));
    // Changes by other processes send no events: read them when the page is visible again.
    this.onFocus = () => document.visibilityState === "visible" && this.store.refresh();
    window.addEventListener("focus", this.onFocus);
    this.ageTimer = setInterval(() => this.redraw(), AGE_MS);
    this.store.refresh();
  }

  destroy() {
    this.isOpen = false;
    this.unsubscribe?.();
    window.removeEventListener("focus", this.onFocus);
    clearInterval(this.ageTimer);
    clearTimeout(this.typingTimer);
    clearTimeout(this.statusTimer);
    this.list?.destroy();
    this.root.remove();
  }

  makeHead() {
    this.search = make("input", {
      id: "seedream-search",
      class: "seedream-input",
      type: "search",
      placeholder: translate("tasks.search"),
      "aria-label": translate("tasks.search"),
      autocomplete: "off",
      oninput: () => {
        clearTimeout(this.typingTimer);
        this.typingTimer = setTimeout(() => this.choose(), TYPING_MS);
      },
    });
    const options = Object.keys(FILTERS).map((value) => make("option", { value, text: translate(`filters.${value}`) }));
    this.filter = make("select", {
      id: "seedream-filter",
      class: "seedream-input",
      "aria-label": translate("tasks.filter"),
      onchange: () => this.choose(),
    }, ...options);
    return make("header", { class: "seedream-head" },
      make("div", { class: "seedream-title" },
        make("h2", { text: translate("tasks.title") }),
        this.count,
        makeButton("↻", () => this.store.refresh(), { id: "seedream-refresh", "aria-label": translate("tasks.refresh"), title: translate("tasks.refresh") }),
      ),
      make("div", { class: "seedream-tools" }, this.search, this.filter),
    );
  }

  choose() {
    this.list.element.scrollTop = 0;
    this.store.choose(this.filter.value, this.search.value);
  }

  onChange(task) {
    const { store } = this;
    const isFiltered = store.filter !== "all" || store.text;
    this.count.textContent = translate(store.total === 1 ? "tasks.count_one" : "tasks.count", { count: store.total });
    this.count.hidden = store.error !== null;
    setText(this.empty, store.error?.message ?? (store.total ? "" : translate(isFiltered ? "tasks.none_found" : "tasks.empty")));
    this.list.element.hidden = !store.total || store.error !== null;
    this.list.scheduleDraw();
    const shown = this.details.task;
    const now = task?.id === shown?.id ? task : store.rows[store.indexOf(shown?.id)];
    if (shown && now && now !== shown) this.details.show(now);
  }

  /** Draws all rows again, because their ages have changed. */
  redraw() {
    for (const drawn of this.list.drawn.values()) drawn.total = -1;
    this.list.scheduleDraw();
  }

  report(text) {
    setText(this.status, text);
    clearTimeout(this.statusTimer);
    this.statusTimer = setTimeout(() => setText(this.status, ""), STATUS_MS);
  }
}
