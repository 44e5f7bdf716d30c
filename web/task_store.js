// The ledger's tasks, newest first, in pages that are fetched when they are shown. Events report the
// tasks of this server; the overview tells when another process has changed the ledger.
import { call } from "./api.js";

const PAGE = 100;
const OVERVIEW_MS = 5_000;
const SETTLED_MS = 400;
export const GROUPS = ["running", "attention", "done", "failed"];
const NOTHING = { group: "", text: "", model: "", since: "", before: "", forgotten: false };

export class TaskStore {
  /** `onChange(task)` is called with one task that has changed, or without where all may have;
   * `onOverview()` when counts or models have changed. */
  constructor(onChange, onOverview) {
    this.onChange = onChange;
    this.onOverview = onOverview;
    this.rows = []; // with holes for pages that have not been fetched
    this.isReplaced = false; // whether the rows are those of an earlier filter
    this.total = 0;
    this.filter = { ...NOTHING };
    this.version = 0;
    this.pages = new Map(); // promises by page number
    this.error = null;
    this.overview = null;
    this.timer = setInterval(() => document.visibilityState === "visible" && this.readOverview(), OVERVIEW_MS);
  }

  destroy() {
    clearInterval(this.timer);
    clearTimeout(this.settling);
  }

  get isFiltered() {
    return Object.keys(NOTHING).some((name) => this.filter[name] !== NOTHING[name]);
  }

  /** Shows the tasks that meet these conditions; those not given stay as they are. */
  choose(conditions) {
    Object.assign(this.filter, conditions);
    this.isReplaced = true; // the rows stay until others arrive, so that a key meanwhile finds its task
    return this.refresh();
  }

  clearFilter() {
    return this.choose(NOTHING);
  }

  /** Returns the conditions as a query, for a list or an export; chosen tasks need no others. */
  toQuery(more = {}) {
    const chosen = more.ids ? { ...NOTHING, forgotten: this.filter.forgotten } : this.filter;
    const { group, text, model, since, before, forgotten } = chosen;
    const given = { group, text: text.trim(), model, since: toSeconds(since), before: toSeconds(before, 1), state: forgotten ? "forgotten" : "", ...more };
    return new URLSearchParams(Object.entries(given).filter(([, value]) => value !== "" && value !== null));
  }

  /** Reads again; what is known is shown until the response arrives. */
  refresh() {
    this.readOverview();
    return this.reload();
  }

  /** Reads the pages alone. A shared ledger counts this server's own changes as outside ones too, so
   * that an overview asked for here would find a change each time. */
  reload() {
    this.version += 1;
    this.pages.clear();
    return this.loadPage(0);
  }

  async readOverview() {
    try {
      const before = this.overview;
      this.overview = await call("/overview");
      if (before && before.outside_changes !== this.overview.outside_changes) this.reload();
    } catch {
      return; // the list itself shows the error
    }
    this.onOverview();
  }

  at(index) {
    this.loadPage(Math.floor(index / PAGE));
    return this.rows[index];
  }

  /** Returns the task at an index once it is loaded; undefined past the end. */
  async load(index) {
    if (index < 0 || index >= this.total) return undefined;
    await this.loadPage(Math.floor(index / PAGE));
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
    try {
      const { total, tasks } = await call(`/tasks?${this.toQuery({ offset: number * PAGE, limit: PAGE })}`);
      // The filter has changed meanwhile, or a new task has moved all others down.
      if (version !== this.version) return;
      this.error = null;
      if (this.isReplaced) this.rows = [];
      this.isReplaced = false;
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
    const hasMoved = index < 0 || this.rows[index].group !== task.group;
    if (index >= 0 && matches) {
      this.rows[index] = task;
    } else if (index >= 0) {
      this.rows.splice(index, 1);
      this.shift(-1);
    } else if (matches && task.id > (this.rows[0]?.id ?? 0)) {
      this.rows.unshift(task);
      this.shift(1);
    }
    this.onChange(task);
    if (!hasMoved) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.readOverview(), SETTLED_MS);
  }

  /** Moves the page limits: rows that are known stay, pages still being fetched are read again. */
  shift(by) {
    this.total += by;
    this.version += 1;
    this.pages.clear();
  }

  matches(task) {
    const { group, text, model, since, before, forgotten } = this.filter;
    if ((task.state === "forgotten") !== forgotten || (group && task.group !== group)) return false;
    if (model && task.model !== model) return false;
    if (since && task.created_at < toSeconds(since)) return false;
    if (before && task.created_at >= toSeconds(before, 1)) return false;
    const holds = (value, word) => value?.toLowerCase().includes(word);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return words.every((word) => holds(task.prompt, word) || holds(task.model, word) || holds(task.task_id, word) || String(task.id) === word);
  }
}

/** Returns the begin of a local day such as "2026-11-29", or of the one `days` later, in seconds. */
function toSeconds(day, days = 0) {
  if (!day) return "";
  const begin = new Date(`${day}T00:00`);
  begin.setDate(begin.getDate() + days);
  return begin.getTime() / 1000;
}
