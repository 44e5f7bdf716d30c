// The big view: the images of a job with zoom, the neighbouring jobs, and two images beside each other.
import { imageUrl } from "./api.js";
import { make, setText } from "./dom.js";
import { translate } from "./i18n.js";
import { ImageStage } from "./image_stage.js";
import { loadWhole, renderFacts, renderTrouble } from "./task_details.js";
import { describePrompt } from "./task_texts.js";

const STATUS_MS = 4000;

export class TaskViewer {
  /** `store` gives the neighbouring tasks; `makeActions(report, place)` a `TaskActions` for this view;
   * `onClose(task)` is called with the task shown last. */
  constructor(store, makeActions, onClose) {
    this.store = store;
    this.onClose = onClose;
    this.wholes = new Map();
    this.stage = new ImageStage((percent) => (this.percent.textContent = `${percent} %`));
    this.element = make("dialog", {
      class: "seedream-viewer",
      "aria-label": translate("viewer.title"),
      onclose: () => this.destroy(),
      onkeydown: (event) => this.onKey(event),
    });
    this.actions = makeActions((text) => this.report(text), this.element);
    this.build();
  }

  build() {
    this.title = make("h2", {});
    this.counter = make("span", { class: "seedream-counter", "aria-live": "polite" });
    this.percent = make("span", { class: "seedream-zoom" });
    this.side = this.makeIcon("side", "pi-pause", () => this.setMode(this.mode === "side" ? "slider" : "side"));
    this.compareButton = this.makeIcon("compare", "pi-arrows-h", () => this.toggleCompare());
    this.strip = make("div", { class: "seedream-strip" });
    this.aside = make("aside", {});
    this.status = make("div", { class: "seedream-status", role: "status", hidden: true });
    this.previous = this.makeIcon("previous", "pi-chevron-left", () => this.step(-1), "seedream-step");
    this.next = this.makeIcon("next", "pi-chevron-right", () => this.step(1), "seedream-step");
    this.element.append(
      make("header", {}, this.title, this.counter,
        make("div", { class: "seedream-bar" },
          this.makeIcon("smaller", "pi-search-minus", () => this.stage.zoomBy(-1)), this.percent,
          this.makeIcon("larger", "pi-search-plus", () => this.stage.zoomBy(1)),
          this.makeIcon("fit", "pi-expand", () => this.stage.reset()), this.compareButton, this.side),
        this.makeIcon("close", "pi-times", () => this.element.close())),
      make("main", {}, this.previous, this.stage.element, this.next),
      this.aside, this.strip, this.status,
    );
  }

  makeIcon(name, icon, act, kind = "") {
    const text = translate(`viewer.${name}`);
    return make("button", { type: "button", class: `seedream-icon pi ${icon} ${kind}`, title: text, "aria-label": text, "data-view": name, onclick: act });
  }

  destroy() {
    clearTimeout(this.clearing);
    this.stage.destroy();
    this.element.remove();
    this.onClose(this.image?.task);
  }

  /** Opens the images of a task, beginning with the one at `place`. */
  view(task, place = 0) {
    this.setImages(task.stored.map((position) => ({ task, position })), place);
    this.setMode("single");
    this.open();
  }

  /** Opens two of several images beside each other. */
  compare(images) {
    this.setImages(images, 0);
    this.isFixed = true;
    this.setMode("slider");
    this.open();
  }

  open() {
    document.body.append(this.element);
    this.element.showModal();
    this.stage.place();
    this.next.focus();
  }

  setImages(images, place) {
    this.images = images;
    this.at = Math.min(place, images.length - 1);
    this.other = this.at;
  }

  get image() {
    return this.images?.[this.at];
  }

  setMode(mode) {
    this.mode = mode;
    if (this.other === this.at) this.other = this.at + 1 < this.images.length ? this.at + 1 : this.at - 1;
    this.show();
  }

  toggleCompare() {
    // A hidden divider would lose the focus, and the dialog its keys.
    if (document.activeElement === this.stage.divider) this.compareButton.focus();
    if (this.images.length > 1) this.setMode(this.mode === "single" ? "slider" : "single");
  }

  /** Shows the next image, in the next job after the last one; compares with the next one instead. */
  async step(by) {
    if (this.mode !== "single") {
      const free = (this.other + by + this.images.length) % this.images.length;
      this.other = free === this.at ? (free + by + this.images.length) % this.images.length : free;
      return this.show();
    }
    if (this.images[this.at + by]) return this.choose(this.at + by);
    return this.isFixed ? undefined : this.stepTask(by);
  }

  async stepTask(by) {
    let index = this.store.indexOf(this.image.task.id);
    if (index < 0) return;
    let task;
    do task = await this.store.load((index += by));
    while (task && !task.stored.length);
    if (!task) return;
    this.setImages(task.stored.map((position) => ({ task, position })), by > 0 ? 0 : task.stored.length - 1);
    this.stage.reset();
    this.show();
  }

  choose(at) {
    if (this.mode === "single") this.at = at;
    else if (at !== this.at) this.other = at;
    this.show();
  }

  show() {
    const { task } = this.image;
    const shown = this.mode === "single" ? [this.image] : [this.image, this.images[this.other]];
    this.title.textContent = describePrompt(task);
    this.counter.textContent = translate("viewer.counter", { id: task.id, number: this.at + 1, count: this.images.length });
    this.compareButton.hidden = this.images.length < 2;
    this.compareButton.setAttribute("aria-pressed", String(this.mode !== "single"));
    this.side.hidden = this.mode === "single";
    this.side.setAttribute("aria-pressed", String(this.mode === "side"));
    this.stage.show(shown.map((image) => ({ src: imageUrl(image.task, image.position), label: this.describe(image) })), this.mode);
    this.showStrip();
    this.showAside(task);
  }

  describe({ task, position }) {
    return [`#${task.id}`, task.stored.length > 1 ? position + 1 : null, task.model].filter(Boolean).join(" · ");
  }

  showStrip() {
    this.strip.hidden = this.images.length < 2;
    const focused = document.activeElement?.dataset?.image;
    this.strip.replaceChildren(...this.images.map(({ task, position }, at) => {
      const mark = at === this.at ? "A" : this.mode !== "single" && at === this.other ? "B" : null;
      return make("button", {
        type: "button",
        "data-image": at,
        "data-mark": this.mode === "single" ? null : mark,
        "aria-pressed": String(mark !== null),
        "aria-label": translate("details.open_image", { number: at + 1 }),
        onclick: () => this.choose(at),
      }, make("img", { alt: "", src: imageUrl(task, position, true) }));
    }));
    if (focused) this.strip.querySelector(`[data-image="${focused}"]`)?.focus();
    this.strip.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  async showAside(task) {
    this.renderAside(task);
    if (this.wholes.has(task.id)) return;
    this.wholes.set(task.id, null); // no second request while this one runs
    const whole = await loadWhole(task, (text) => this.report(text));
    if (whole) this.wholes.set(task.id, whole);
    else this.wholes.delete(task.id);
    if (this.image.task.id === task.id) this.renderAside(task);
  }

  renderAside(task) {
    const whole = this.wholes.get(task.id);
    const place = task.stored.indexOf(this.image.position);
    const focused = document.activeElement?.dataset?.action;
    this.aside.replaceChildren(...[
      make("p", { class: "seedream-whole", text: whole?.prompt ?? describePrompt(task) }),
      renderTrouble(task, whole),
      renderFacts(task, whole),
      make("div", { class: "seedream-actions" }, ...this.actions.makeButtons(task, place, ["view"])),
    ].filter(Boolean));
    if (focused) this.aside.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  /** Shows a change of a task that is shown. */
  update(task) {
    if (this.image?.task.id !== task.id || !task.stored.length) return;
    for (const image of this.images) if (image.task.id === task.id) image.task = task;
    this.renderAside(task);
  }

  report(text) {
    setText(this.status, text);
    clearTimeout(this.clearing);
    this.clearing = setTimeout(() => setText(this.status, ""), STATUS_MS);
  }

  onKey(event) {
    // ComfyUI has shortcuts of one letter.
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      Escape: () => this.element.close(),
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      ArrowDown: () => this.mode === "single" && !this.isFixed && this.stepTask(1),
      ArrowUp: () => this.mode === "single" && !this.isFixed && this.stepTask(-1),
      "+": () => this.stage.zoomBy(1),
      "=": () => this.stage.zoomBy(1),
      "-": () => this.stage.zoomBy(-1),
      0: () => this.stage.reset(),
      1: () => this.stage.zoomTo(this.stage.pixelZoom()),
      c: () => this.toggleCompare(),
    };
    if (!(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  }
}
