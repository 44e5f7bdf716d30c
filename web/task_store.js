// The record as the panel sees it: pages of it, fetched when they are looked at, newest first. What
// this server works on arrives by itself; the rest is looked at anew whenever the panel is.
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
  /** `changed(task)` is called with one task that has moved, or without where all may have. */
  constructor(changed) {
    this.changed = changed;
    this.rows = []; // with holes where no page has been fetched
    this.total = 0;
    this.filter = "all";
    this.text = "";
    this.version = 0;
    this.pages = new Map(); // by number: the request under way, or "here"
    this.error = null;
  }

  /** Other tasks are wanted: those of a state, and with a text in them. */
  choose(filter, text) {
    this.filter = filter;
    this.text = text.trim();
    this.rows = [];
    return this.refresh();
  }

  /** Look again; what is known is shown until the answer comes. */
  refresh() {
    this.version += 1;
    this.pages.clear();
    return this.page(0);
  }

  at(index) {
    this.page(Math.floor(index / PAGE));
    return this.rows[index];
  }

  indexOf(id) {
    return this.rows.findIndex((row) => row?.id === id);
  }

  page(number) {
    if (!this.pages.has(number)) this.pages.set(number, this.fetch(number));
    return this.pages.get(number);
  }

  async fetch(number) {
    const { version } = this;
    const states = FILTERS[this.filter].join(",");
    const query = new URLSearchParams({ offset: number * PAGE, limit: PAGE, state: states, text: this.text });
    try {
      const { total, tasks } = await call(`/tasks?${query}`);
      // Meanwhile another choice was made, or a new task has moved all the others down.
      if (version !== this.version) return;
      this.error = null;
      this.total = this.rows.length = total;
      tasks.forEach((task, place) => (this.rows[number * PAGE + place] = task));
    } catch (error) {
      if (version !== this.version) return;
      this.error = error;
    }
    this.changed();
  }

  /** A task has moved. */
  put(task) {
    const index = this.indexOf(task.id);
    const fits = this.fits(task);
    if (index >= 0 && fits) {
      this.rows[index] = task;
      this.changed(task);
    } else if (index >= 0) {
      this.rows.splice(index, 1);
      this.moved(-1);
    } else if (fits && task.id > (this.rows[0]?.id ?? 0)) {
      this.rows.unshift(task);
      this.moved(1);
    }
  }

  /** Pages begin elsewhere now: those that are here stay, those under way are asked for again. */
  moved(by) {
    this.total += by;
    this.version += 1;
    this.pages.clear();
    this.changed();
  }

  fits(task) {
    const states = FILTERS[this.filter];
    const isWanted = states.length ? states.includes(task.state) : task.state !== "forgotten";
    const text = this.text.toLowerCase();
    const holds = (value) => value?.toLowerCase().includes(text);
    return isWanted && (!text || holds(task.prompt) || holds(task.model) || holds(task.task_id) || String(task.id) === text);
  }
}
