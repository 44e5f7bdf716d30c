// One row of the list: thumbnail, prompt, state, and cost. Rows are reused while the list scrolls, so
// that a frame makes no elements.
import { imageUrl } from "./api.js";
import { make } from "./dom.js";
import { describeCharge, describePrompt, describeState, formatAge, getError, getTone } from "./task_texts.js";

export class TaskRow {
  constructor() {
    this.image = make("img", { alt: "", decoding: "async" });
    this.many = make("span", { class: "seedream-many" });
    this.prompt = make("div", { class: "seedream-prompt" });
    this.model = make("span", { class: "seedream-model" });
    this.age = make("span", { class: "seedream-age" });
    this.badge = make("span", { class: "seedream-badge" });
    this.progress = make("progress", { max: 100 });
    this.percent = make("span", { class: "seedream-percent" });
    this.cost = make("span", { class: "seedream-cost" });
    this.element = make("div", { class: "seedream-task", role: "option" },
      make("div", { class: "seedream-thumb" }, this.image, this.many, make("span", { class: "seedream-check pi pi-check", "data-check": true })),
      make("div", { class: "seedream-body" },
        this.prompt,
        make("div", { class: "seedream-meta" }, this.model, this.age),
        make("div", { class: "seedream-standing" }, this.badge, this.progress, this.percent, this.cost),
      ),
    );
  }

  /** Shows a task, or an empty row of the same size where it is not loaded yet. */
  show(task, index, total) {
    const { element } = this;
    this.setImage(task);
    this.task = task;
    element.dataset.index = index;
    element.setAttribute("aria-posinset", index + 1);
    if (this.total !== total) element.setAttribute("aria-setsize", total);
    element.classList.toggle("seedream-empty", !task);
    if (!task) return this.showNothing();
    element.id = `seedream-task-${task.id}`;
    element.removeAttribute("aria-label");
    Object.assign(element.dataset, { id: task.id, state: task.state, tone: getTone(task) });
    this.prompt.textContent = describePrompt(task);
    this.model.textContent = task.model ?? task.task_id;
    this.age.textContent = formatAge(task.created_at);
    this.badge.textContent = describeState(task);
    const error = getTone(task) === "bad" ? getError(task) : null;
    this.cost.textContent = error?.happened ?? describeCharge(task);
    if (error) this.cost.title = error.happened;
    else this.cost.removeAttribute("title");
    this.showProgress(task);
  }

  showNothing() {
    const { element } = this;
    element.removeAttribute("id");
    element.setAttribute("aria-label", "…");
    for (const name of ["id", "state", "tone"]) delete element.dataset[name];
    for (const part of [this.prompt, this.model, this.age, this.badge, this.cost]) part.textContent = "";
    this.progress.hidden = this.percent.hidden = true;
  }

  showProgress(task) {
    const { percent, done, total } = (task.is_live && task.progress) || {};
    const isKnown = percent !== null && percent !== undefined;
    this.progress.hidden = !isKnown;
    if (isKnown) {
      this.progress.value = percent;
      this.progress.setAttribute("aria-label", describeState(task));
    }
    this.percent.hidden = !isKnown && !total;
    this.percent.textContent = isKnown ? `${Math.round(percent)} %` : `${done}/${total}`;
  }

  setImage(task) {
    const first = task?.stored[0];
    this.many.textContent = task?.stored.length > 1 ? task.stored.length : "";
    this.source = first === undefined ? null : imageUrl(task, first, true);
    if (this.image.getAttribute("src") !== this.source) this.image.removeAttribute("src");
  }

  /** Loads the thumbnail of a row that stays visible. */
  loadImage() {
    if (this.source && !this.image.hasAttribute("src")) this.image.src = this.source;
  }
}
