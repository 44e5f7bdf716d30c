// The ledger's tasks, newest first, in pages that are fetched when they are shown. Tasks that this
// server runs are updated by events; all others are read again when the panel becomes visible.
import { call } from "./api.js";

const PAGE = 200;
export const FILTERS = {
  all: [],
  running: ["intended", "sending", "accepted", "answered"],
  done: ["completed", "partial"],
  unclear: ["unknown", "empty"],
  failed: ["refused", "failed", "withdrawn"],
  forgotten: ["forgotten"],
};

export class TaskStore {
  /** `onChange(task)` is called with one task that has changed, or without where all may have. */
  constructor(onChange) {
    this.onChange = onChange;
    this.rows = []; // with holes for pages that have not been fetched
    this.total = 0;
    this.filter = "all";
    this.text = "";
    this.version = 0;
    this.pages = new Map(); // promises by page number
    this.error = null;
  }

  /** Shows the tasks of one filter that contain a text. */
  choose(filter, text) {
    this.filter = filter;
    this.text = text.trim();
    this.rows = [];
    return this.refresh();
  }

  /** Reads again; what is known is shown until the response arrives. */
  refresh() {
    this.version += 1;
    this.pages.clear();
    return this.loadPage(0);
  }

  at(index) {
    this.loadPage(Math.floor(index / PAGE));
    return this.rows[index];
  }

  indexOf(id) {
    return this.rows.findIndex((row) => row?.id === id);
  }

  loadPage(number) {
    if (!this.pages.has(number)) this.pages.set(number, this.fetchPage(number));
    return this.pages.get(number);
  }

  async fetchPage(number) {
    const { version } = this;
    const states = FILTERS[this.filter].join(",");
    const query = new URLSearchParams({ offset: number * PAGE, limit: PAGE, state: states, text: this.text });
    try {
      const { total, tasks } = await call(`/tasks?${query}`);
      // The filter has changed meanwhile, or a new task has moved all others down.
      if (version !== this.version) return;
      this.error = null;
      this.total = this.rows.length = total;
      tasks.forEach((task, place) => (this.rows[number * PAGE + place] = task));
    } catch (error) {
      if (version !== this.version) return;
      this.error = error;
    }
    this.onChange();
  }

  /** Puts a changed task in its place. */
  update(task) {
    const index = this.indexOf(task.id);
    const matches = this.matches(task);
    if (index >= 0 && matches) {
      this.rows[index] = task;
      this.onChange(task);
    } else if (index >= 0) {
      this.rows.splice(index, 1);
      this.shift(-1);
    } else if (matches && task.id > (this.rows[0]?.id ?? 0)) {
      this.rows.unshift(task);
      this.shift(1);
    }
  }

  /** Moves the page limits: rows that are known stay, pages still being fetched are read again. */
  shift(by) {
    this.total += by;
    this.version += 1;
    this.pages.clear();
    this.onChange();
  }

  matches(task) {
    const states = FILTERS[this.filter];
    const isWanted = states.length ? states.includes(task.state) : task.state !== "forgotten";
    const text = this.text.toLowerCase();
    const holds = (value) => value?.toLowerCase().includes(text);
    return isWanted && (!text || holds(task.prompt) || holds(task.model) || holds(task.task_id) || String(task.id) === text);
  }
}
