// The sidebar tab: every paid request of this ComfyUI, as it happens.
import { onTask } from "./api.js";
import { button, make, tell } from "./dom.js";
import { TaskDetails } from "./task_details.js";
import { TaskList } from "./task_list.js";
import { FILTERS, TaskStore } from "./task_store.js";
import { loadWords, word } from "./words.js";

const TYPING_MS = 250;
const TOLD_MS = 4000;
const AGE_MS = 60_000;

let panel = null;

export const taskPanel = {
  open(place) {
    panel?.end();
    panel = new Panel(place);
  },
  close() {
    panel?.end();
    panel = null;
  },
};

class Panel {
  constructor(place) {
    this.root = make("div", { class: "seedream-tasks", id: "seedream-tasks" });
    place.style.height = "100%";
    place.replaceChildren(this.root);
    this.isOpen = true;
    loadWords().then(() => this.isOpen && this.begin());
  }

  begin() {
    this.store = new TaskStore((task) => this.changed(task));
    this.list = new TaskList(this.store, (task) => this.details.show(task), () => this.details.focus());
    this.details = new TaskDetails((text) => this.tell(text), () => this.list.element.focus());
    this.count = make("span", { class: "seedream-count", "aria-live": "polite" });
    this.told = make("div", { class: "seedream-told-line", role: "status", hidden: true });
    this.empty = make("p", { class: "seedream-nothing", hidden: true });
    this.root.append(this.head(), this.empty, this.list.element, this.told, this.details.element);
    this.silence = onTask((task) => this.store.put(task));
    // What other processes did is looked at when somebody looks here again.
    this.again = () => document.visibilityState === "visible" && this.store.refresh();
    window.addEventListener("focus", this.again);
    this.ageing = setInterval(() => this.redrawn(), AGE_MS);
    this.store.refresh();
  }

  end() {
    this.isOpen = false;
    this.silence?.();
    window.removeEventListener("focus", this.again);
    clearInterval(this.ageing);
    clearTimeout(this.typing);
    clearTimeout(this.telling);
    this.list?.end();
    this.root.remove();
  }

  head() {
    this.search = make("input", {
      id: "seedream-search",
      class: "seedream-input",
      type: "search",
      placeholder: word("tasks.search"),
      "aria-label": word("tasks.search"),
      autocomplete: "off",
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.choose(), TYPING_MS);
      },
    });
    const options = Object.keys(FILTERS).map((value) => make("option", { value, text: word(`filters.${value}`) }));
    this.filter = make("select", {
      id: "seedream-filter",
      class: "seedream-input",
      "aria-label": word("tasks.filter"),
      onchange: () => this.choose(),
    }, ...options);
    return make("header", { class: "seedream-head" },
      make("div", { class: "seedream-title" },
        make("h2", { text: word("tasks.title") }),
        this.count,
        button("↻", () => this.store.refresh(), { id: "seedream-refresh", "aria-label": word("tasks.refresh"), title: word("tasks.refresh") }),
      ),
      make("div", { class: "seedream-tools" }, this.search, this.filter),
    );
  }

  choose() {
    this.list.element.scrollTop = 0;
    this.store.choose(this.filter.value, this.search.value);
  }

  changed(task) {
    const { store } = this;
    const isFiltered = store.filter !== "all" || store.text;
    this.count.textContent = word(store.total === 1 ? "tasks.count_one" : "tasks.count", { count: store.total });
    this.count.hidden = store.error !== null;
    tell(this.empty, store.error?.message ?? (store.total ? "" : word(isFiltered ? "tasks.none_found" : "tasks.empty")));
    this.list.element.hidden = !store.total || store.error !== null;
    this.list.soon();
    const shown = this.details.task;
    const now = task?.id === shown?.id ? task : store.rows[store.indexOf(shown?.id)];
    if (shown && now && now !== shown) this.details.show(now);
  }

  /** Ages grow by themselves. */
  redrawn() {
    for (const drawn of this.list.drawn.values()) drawn.total = -1;
    this.list.soon();
  }

  tell(text) {
    tell(this.told, text);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => tell(this.told, ""), TOLD_MS);
  }
}
