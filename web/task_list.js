// A list that keeps only its visible rows in the page. It is a listbox: one stop for the Tab key, arrow
// keys inside, and aria-activedescendant names the chosen task.
import { make } from "./dom.js";
import { translate } from "./i18n.js";
import { loadThumbnail, renderTaskRow } from "./task_row.js";

export const ROW_PX = 92;
const AROUND = 8;
const SETTLED_MS = 80;

export class TaskList {
  /** `onChoose(task)` is called when a task is chosen, `onEnter()` on Enter. */
  constructor(store, onChoose, onEnter) {
    this.store = store;
    this.onChoose = onChoose;
    this.onEnter = onEnter;
    this.chosenId = null;
    this.drawn = new Map(); // by index: the element, and the task that it shows
    this.space = make("div", { class: "seedream-space", role: "none" });
    this.element = make("div", {
      class: "seedream-list",
      role: "listbox",
      tabindex: 0,
      "aria-label": translate("tasks.list"),
      onscroll: () => this.scheduleDraw(),
      onkeydown: (event) => this.onKey(event),
      onclick: (event) => this.onClick(event),
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
      for (const { element } of this.drawn.values()) loadThumbnail(element);
    }, SETTLED_MS);
  }

  draw() {
    const { scrollTop, clientHeight } = this.element;
    const { total } = this.store;
    this.space.style.height = `${total * ROW_PX}px`;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - AROUND);
    const last = Math.min(total, Math.ceil((scrollTop + clientHeight) / ROW_PX) + AROUND);
    for (const [index, { element }] of this.drawn) {
      if (index >= first && index < last) continue;
      element.remove();
      this.drawn.delete(index);
    }
    for (let index = first; index < last; index += 1) this.drawRow(index);
    this.markChosen();
  }

  drawRow(index) {
    const task = this.store.at(index);
    const known = this.drawn.get(index);
    if (known && known.task === task && known.total === this.store.total) return;
    const element = renderTaskRow(task);
    element.style.transform = `translateY(${index * ROW_PX}px)`;
    element.setAttribute("aria-setsize", this.store.total);
    element.setAttribute("aria-posinset", index + 1);
    element.dataset.index = index;
    // A thumbnail that was shown before is set at once: it would flicker otherwise.
    if (known?.task?.id === task?.id && task) loadThumbnail(element);
    if (known) known.element.replaceWith(element);
    else this.space.append(element);
    this.drawn.set(index, { element, task, total: this.store.total });
  }

  /** Marks the chosen task, also for assistive technology. */
  markChosen() {
    let active = null;
    for (const { element, task } of this.drawn.values()) {
      const isChosen = task !== undefined && task.id === this.chosenId;
      element.setAttribute("aria-selected", String(isChosen));
      if (isChosen) active = element.id;
    }
    if (active) this.element.setAttribute("aria-activedescendant", active);
    else this.element.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    const task = this.store.at(index);
    if (task === undefined) return;
    this.chosenId = task.id;
    const top = index * ROW_PX;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.element.scrollTop = top + ROW_PX - clientHeight;
    this.draw();
    this.onChoose(task);
  }

  onClick(event) {
    const row = event.target.closest("[data-index]");
    if (row) this.choose(Number(row.dataset.index));
  }

  onKey(event) {
    const last = this.store.total - 1;
    const now = this.store.indexOf(this.chosenId);
    const jump = Math.max(1, Math.floor(this.element.clientHeight / ROW_PX) - 1);
    const moves = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + jump, PageUp: now - jump, Home: 0, End: last };
    if (event.key === "Enter") this.onEnter();
    else if (event.key in moves) this.choose(Math.min(last, Math.max(0, moves[event.key])));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
