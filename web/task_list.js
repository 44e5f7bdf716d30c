// A list that keeps only its visible rows in the page. It is a listbox: one stop for the Tab key, arrow
// keys inside, and aria-activedescendant names the chosen task. Several tasks can be selected.
import { make } from "./dom.js";
import { translate } from "./i18n.js";
import { TaskRow } from "./task_row.js";

export const ROW_PX = 88;
const AROUND = 3;
const SETTLED_MS = 80;

export class TaskList {
  /** `onChoose(task)` is called for a chosen task, `onOpen(task)` on Enter or a double click,
   * `onSelect()` when the selection changes, and `onMenu(task, event)` for a context menu. */
  constructor(store, { onChoose, onOpen, onSelect, onMenu }) {
    Object.assign(this, { store, onChoose, onOpen, onSelect, onMenu });
    this.chosenId = null;
    this.selected = new Map(); // tasks by id
    this.shown = new Map(); // rows by index
    this.spare = [];
    this.space = make("div", { class: "seedream-space", role: "none" });
    this.element = make("div", {
      class: "seedream-list",
      role: "listbox",
      tabindex: 0,
      "aria-multiselectable": "true",
      "aria-label": translate("tasks.list"),
      onscroll: () => this.scheduleDraw(),
      onkeydown: (event) => this.onKey(event),
      onclick: (event) => this.onClick(event),
      ondblclick: (event) => this.open(this.taskOf(event)),
      oncontextmenu: (event) => this.showMenu(event),
    }, this.space);
    this.resizes = new ResizeObserver(() => this.scheduleDraw());
    this.resizes.observe(this.element);
  }

  destroy() {
    this.resizes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
  }

  /** Draws with the next frame, and fetches thumbnails once scrolling has settled. */
  scheduleDraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      for (const row of this.shown.values()) row.loadImage();
    }, SETTLED_MS);
  }

  /** Draws every row again, because ages or the language have changed. */
  redraw() {
    for (const row of this.shown.values()) row.total = undefined;
    this.scheduleDraw();
  }

  draw() {
    const { scrollTop, clientHeight } = this.element;
    const { total } = this.store;
    const height = `${total * ROW_PX}px`;
    if (this.space.style.height !== height) this.space.style.height = height;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - AROUND);
    const last = Math.min(total, Math.ceil((scrollTop + clientHeight) / ROW_PX) + AROUND);
    for (const [index, row] of this.shown) {
      if (index >= first && index < last) continue;
      this.shown.delete(index);
      this.spare.push(row);
    }
    for (let index = first; index < last; index += 1) this.drawRow(index, total);
    for (const row of this.spare.splice(0)) row.element.remove();
    this.markRows();
  }

  drawRow(index, total) {
    const task = this.store.at(index);
    let row = this.shown.get(index);
    if (row && row.task === task && row.total === total) return;
    if (!row) {
      row = this.spare.pop() ?? new TaskRow();
      if (!row.element.isConnected) this.space.append(row.element);
      row.element.style.transform = `translateY(${index * ROW_PX}px)`;
      this.shown.set(index, row);
    }
    // A thumbnail that was shown before is set at once: it would flicker otherwise.
    const isSame = task && row.task?.id === task.id;
    row.show(task, index, total);
    row.total = total;
    if (isSame) row.loadImage();
  }

  /** Marks chosen and selected tasks, also for assistive technology. */
  markRows() {
    let active = null;
    for (const { element, task } of this.shown.values()) {
      const isChosen = task !== undefined && task.id === this.chosenId;
      const isSelected = task !== undefined && this.selected.has(task.id);
      element.classList.toggle("seedream-chosen", isChosen);
      element.setAttribute("aria-selected", String(this.selected.size ? isSelected : isChosen));
      if (isChosen) active = element.id;
    }
    this.element.classList.toggle("seedream-selecting", this.selected.size > 0);
    if (active) this.element.setAttribute("aria-activedescendant", active);
    else this.element.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    const task = this.store.at(index);
    if (task === undefined) return;
    this.chosenId = task.id;
    this.scrollTo(index);
    this.draw();
    this.onChoose(task);
  }

  scrollTo(index) {
    const top = index * ROW_PX;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.element.scrollTop = top + ROW_PX - clientHeight;
  }

  toggle(task, isSelected = !this.selected.has(task.id)) {
    if (isSelected) this.selected.set(task.id, task);
    else this.selected.delete(task.id);
  }

  /** Selects the loaded rows between the chosen one and `index`. */
  selectTo(index) {
    const from = Math.max(0, this.store.indexOf(this.chosenId));
    for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) {
      const task = this.store.rows[at];
      if (task) this.toggle(task, true);
    }
  }

  selectAll() {
    for (const task of this.store.rows) if (task) this.toggle(task, true);
    this.reportSelection();
  }

  clearSelection() {
    this.selected.clear();
    this.reportSelection();
  }

  reportSelection() {
    this.markRows();
    this.onSelect();
  }

  taskOf(event) {
    const row = event.target.closest("[data-index]");
    return row ? this.store.at(Number(row.dataset.index)) : undefined;
  }

  open(task) {
    if (task) this.onOpen(task);
  }

  onClick(event) {
    const task = this.taskOf(event);
    if (!task) return;
    const index = this.store.indexOf(task.id);
    if (event.shiftKey) this.selectTo(index);
    else if (event.ctrlKey || event.metaKey || event.target.closest("[data-check]")) this.toggle(task);
    else {
      this.selected.clear();
      this.choose(index);
    }
    this.reportSelection();
  }

  showMenu(event) {
    const task = this.taskOf(event);
    if (!task) return;
    event.preventDefault();
    event.stopPropagation();
    if (!this.selected.has(task.id)) this.choose(this.store.indexOf(task.id));
    this.onMenu(task, event);
  }

  onKey(event) {
    const last = this.store.total - 1;
    const now = this.store.indexOf(this.chosenId);
    const task = this.store.rows[now];
    const jump = Math.max(1, Math.floor(this.element.clientHeight / ROW_PX) - 1);
    const moves = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + jump, PageUp: now - jump, Home: 0, End: last };
    if (event.key === "Enter") this.open(task);
    else if (event.key === " " && task) this.toggle(task);
    else if (event.key === "Escape" && this.selected.size) this.selected.clear();
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.selectAll();
    else if (event.key in moves) {
      const index = Math.min(last, Math.max(0, moves[event.key]));
      if (event.shiftKey) this.selectTo(index);
      this.choose(index);
    } else return;
    this.reportSelection();
    event.preventDefault();
    event.stopPropagation();
  }
}
