// One image, or two to compare, with zoom and pan. Zoom 1 shows the whole image.
import { make } from "./dom.js";
import { translate } from "./i18n.js";

const STEP = 1.25;
const MOST = 32;
const DIVIDER_STEP = 2;

export class ImageStage {
  /** `onZoom(percent)` is called with the size of the first image relative to its pixels. */
  constructor(onZoom) {
    this.onZoom = onZoom;
    this.panes = [0, 1].map(() => makePane());
    for (const { image } of this.panes) image.addEventListener("load", () => this.place());
    this.divider = make("div", {
      class: "seedream-divider",
      role: "slider",
      tabindex: 0,
      hidden: true,
      "aria-label": translate("viewer.divider"),
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      onkeydown: (event) => this.onDividerKey(event),
      onpointerdown: (event) => this.drag(event, (at) => this.moveDivider(at)),
    });
    this.element = make("div", {
      class: "seedream-stage",
      onwheel: (event) => this.onWheel(event),
      ondblclick: (event) => this.zoomTo(this.zoom === 1 ? this.pixelZoom() : 1, event),
      onpointerdown: (event) => this.onPointerDown(event),
    }, ...this.panes.map(({ element }) => element), this.divider);
    this.resizes = new ResizeObserver(() => this.place());
    this.resizes.observe(this.element);
    this.mode = "single";
    this.share = 50;
    this.reset();
  }

  destroy() {
    this.resizes.disconnect();
  }

  /** Shows one { src, label } or two; `mode` is "single", "slider" or "side". */
  show(images, mode) {
    this.mode = mode;
    this.element.dataset.mode = mode;
    this.divider.hidden = mode !== "slider";
    this.panes.forEach(({ element, image, label }, at) => {
      const shown = images[at];
      element.hidden = !shown;
      if (!shown) return;
      if (image.getAttribute("src") !== shown.src) image.src = shown.src;
      image.alt = shown.label;
      label.textContent = mode === "single" ? "" : shown.label;
    });
    this.place();
  }

  reset() {
    this.zoom = 1;
    this.pan = [0, 0];
    this.place();
  }

  zoomBy(steps, event) {
    this.zoomTo(this.zoom * STEP ** steps, event);
  }

  /** Zooms around the pointer of an event, or else around the middle. */
  zoomTo(zoom, event) {
    const next = Math.min(MOST, Math.max(1, zoom));
    const { element } = this.panes[event?.target?.closest?.("[data-pane='1']") && this.mode === "side" ? 1 : 0];
    const { left, top, width, height } = element.getBoundingClientRect();
    const at = event ? [event.clientX - left - width / 2, event.clientY - top - height / 2] : [0, 0];
    this.pan = this.pan.map((value, axis) => at[axis] - (at[axis] - value) * (next / this.zoom));
    this.zoom = next;
    if (next === 1) this.pan = [0, 0];
    this.place();
  }

  /** Returns the zoom at which one pixel of the image is one of the screen. */
  pixelZoom() {
    return 1 / fitOf(this.panes[0]);
  }

  place() {
    for (const pane of this.panes) {
      const { image } = pane;
      if (!image.naturalWidth) continue;
      const scale = fitOf(pane) * this.zoom;
      const [x, y] = this.pan;
      image.style.transform = `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${scale})`;
      image.classList.toggle("seedream-pixels", scale >= 4);
    }
    this.element?.style.setProperty("--seedream-share", `${this.share}%`);
    this.divider?.setAttribute("aria-valuenow", Math.round(this.share));
    if (this.panes[0].image.naturalWidth) this.onZoom(Math.round(fitOf(this.panes[0]) * this.zoom * 100));
  }

  moveDivider(event) {
    const { left, width } = this.element.getBoundingClientRect();
    this.share = Math.min(100, Math.max(0, ((event.clientX - left) / width) * 100));
    this.place();
  }

  onDividerKey(event) {
    const moves = { ArrowLeft: -DIVIDER_STEP, ArrowRight: DIVIDER_STEP, Home: -100, End: 100 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    this.share = Math.min(100, Math.max(0, this.share + moves[event.key]));
    this.place();
  }

  onWheel(event) {
    event.preventDefault();
    event.stopPropagation();
    this.zoomBy(-Math.sign(event.deltaY), event);
  }

  onPointerDown(event) {
    if (event.button) return;
    const [x, y] = [event.clientX - this.pan[0], event.clientY - this.pan[1]];
    this.drag(event, (at) => {
      if (this.zoom === 1) return;
      this.pan = [at.clientX - x, at.clientY - y];
      this.place();
    });
  }

  drag(event, move) {
    event.stopPropagation();
    const { currentTarget } = event;
    currentTarget.setPointerCapture(event.pointerId);
    const stop = () => {
      currentTarget.removeEventListener("pointermove", move);
      currentTarget.removeEventListener("lostpointercapture", stop);
    };
    currentTarget.addEventListener("pointermove", move);
    currentTarget.addEventListener("lostpointercapture", stop);
  }
}

function makePane() {
  const image = make("img", { alt: "", draggable: "false" });
  const label = make("span", { class: "seedream-caption" });
  return { image, label, element: make("div", { class: "seedream-pane" }, image, label) };
}

/** Returns the scale at which the whole image is visible. */
function fitOf({ element, image }) {
  const { clientWidth, clientHeight } = element;
  return Math.min(clientWidth / image.naturalWidth, clientHeight / image.naturalHeight) || 1;
}
