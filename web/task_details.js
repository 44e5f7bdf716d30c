// The chosen task in full: images, request, cost, error, and actions.
import { call, imageUrl } from "./api.js";
import { make, makeButton } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";
import { describeAdvice, describePrompt, describeState, getError, getTone, isUnclear, listFacts } from "./task_texts.js";

export class TaskDetails {
  /** `actions` is a `TaskActions`; `onClose()` is called when the details are closed. */
  constructor(actions, onClose) {
    this.actions = actions;
    this.onClose = onClose;
    this.task = null;
    this.element = make("section", {
      class: "seedream-details",
      hidden: true,
      "aria-labelledby": "seedream-details-title",
      onkeydown: (event) => event.key === "Escape" && this.close(),
    });
  }

  close() {
    this.task = null;
    this.element.hidden = true;
    this.onClose();
  }

  focus() {
    this.element.querySelector(".seedream-actions button")?.focus();
  }

  /** Shows a task immediately, and its whole prompt and fields once they are loaded. */
  async show(task) {
    const isOther = this.task?.id !== task.id;
    this.task = task;
    if (isOther) this.whole = null;
    this.render();
    if (!isOther) return;
    const whole = await loadWhole(task, (text) => this.actions.report(text));
    if (this.task?.id !== task.id || !whole) return;
    this.whole = whole;
    this.render();
  }

  render() {
    const { task, whole } = this;
    const focused = document.activeElement?.dataset?.action;
    const title = make("h3", { id: "seedream-details-title", text: translate("details.title", { id: task.id }) });
    const close = makeButton("", () => this.close(), { class: "seedream-icon pi pi-times", "aria-label": translate("tasks.closed"), "data-action": "close" });
    const parts = [
      make("header", { "data-tone": getTone(task) }, title, make("span", { class: "seedream-badge", text: describeState(task), "data-fact": "state" }), close),
      renderTrouble(task, whole),
      this.renderImages(),
      make("p", { class: "seedream-whole", text: whole?.prompt ?? describePrompt(task) }),
      renderFacts(task, whole),
      make("div", { class: "seedream-actions" }, ...this.actions.makeButtons(task)),
    ];
    this.element.replaceChildren(...parts.filter((part) => part !== null));
    this.element.hidden = false;
    if (focused && !document.activeElement?.dataset?.action) this.element.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  renderImages() {
    const { task } = this;
    if (!task.stored.length) return null;
    return make("div", { class: "seedream-images", "data-count": Math.min(task.stored.length, 4) }, ...task.stored.map((position, place) => make("button", {
      type: "button",
      "data-action": `image-${place}`,
      "aria-label": translate("details.open_image", { number: place + 1 }),
      onclick: () => this.actions.view(task, place),
    }, make("img", { alt: "", src: imageUrl(task, position, true) }))));
  }
}

/** Loads the whole of a task; an error is reported and gives null. */
export async function loadWhole(task, report) {
  try {
    return await call(`/tasks/${task.id}`);
  } catch (error) {
    report(error.message);
    return null;
  }
}

/** Renders what went wrong, and what to do about it; null where nothing did. */
export function renderTrouble(task, whole) {
  const error = getError(task);
  const advice = describeAdvice(task);
  const hint = isUnclear(task) ? whole?.hint?.[getLanguage()] : undefined;
  if (!error && !hint && !isUnclear(task)) return null;
  return make("div", { class: "seedream-trouble", "data-tone": getTone(task) },
    error ? make("p", { text: error.happened }) : null,
    advice ? make("p", {}, make("strong", { text: `${translate("details.advice")}: ` }), advice) : null,
    hint ? make("p", { text: hint, "data-fact": "hint" }) : null,
  );
}

export function renderFacts(task, whole) {
  return make("dl", {}, ...listFacts(task, whole).flatMap(([name, value]) => [
    make("dt", { text: translate(`details.${name}`) }),
    make("dd", { text: value, "data-fact": name }),
  ]));
}
