// The chosen task in full: request, cost, error, and actions.
import { call, imageUrl } from "./api.js";
import { addNode, copyText } from "./canvas_actions.js";
import { make, makeButton } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";
import { describeCharge, describePrompt, describeState, formatAge, getError, getTone } from "./task_row.js";

export class TaskDetails {
  /** `report(text)` shows what was done; `onClose()` is called when the details are closed. */
  constructor(report, onClose) {
    this.report = report;
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
    this.element.querySelector("button, a")?.focus();
  }

  /** Shows a task immediately, and its whole prompt once that is loaded. */
  async show(task) {
    const isOther = this.task?.id !== task.id;
    this.task = task;
    if (isOther) this.prompt = null;
    this.render();
    if (!isOther) return;
    try {
      const whole = await call(`/tasks/${task.id}`);
      if (this.task?.id !== task.id) return;
      this.prompt = whole.prompt;
      this.element.querySelector(".seedream-whole").textContent = describePrompt(whole);
    } catch (error) {
      this.report(error.message);
    }
  }

  render() {
    const { task } = this;
    const focused = document.activeElement?.dataset?.action;
    const title = make("h3", { id: "seedream-details-title", text: translate("details.title", { id: task.id }) });
    const close = makeButton("×", () => this.close(), { class: "seedream-close", "aria-label": translate("tasks.closed"), "data-action": "close" });
    const parts = [
      make("header", {}, title, close),
      this.renderError(),
      this.renderImages(),
      make("p", { class: "seedream-whole", text: this.prompt ?? describePrompt(task) }),
      this.renderFacts(),
      make("div", { class: "seedream-actions" }, ...this.makeActions()),
    ];
    this.element.replaceChildren(...parts.filter((part) => part !== null));
    this.element.hidden = false;
    if (focused) this.element.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  /** Renders what went wrong, and what to do about it. */
  renderError() {
    const { task } = this;
    const error = getError(task);
    const isUnclear = getTone(task) === "unclear";
    if (!error && !isUnclear) return null;
    const advice = [error?.advice, isUnclear ? translate(`unclear.${task.state}`) : null].filter(Boolean);
    return make("div", { class: "seedream-trouble", "data-tone": getTone(task) },
      error ? make("p", { text: error.happened }) : null,
      advice.length ? make("p", {}, make("strong", { text: `${translate("details.advice")}: ` }), advice.at(-1)) : null,
    );
  }

  renderImages() {
    const { task } = this;
    if (!task.stored.length) return null;
    return make("div", { class: "seedream-images" }, ...task.stored.map((position, place) => make("a", {
      href: imageUrl(task, position),
      target: "_blank",
      rel: "noopener",
      "aria-label": translate("details.open_image", { number: place + 1 }),
    }, make("img", { alt: "", src: imageUrl(task, position, true) }))));
  }

  renderFacts() {
    const { task } = this;
    const when = new Date(task.created_at * 1000).toLocaleString(getLanguage() === "zh" ? "zh-CN" : undefined);
    const facts = [
      ["state", describeState(task)],
      ["cost", describeCharge(task)],
      ["images", translate("details.image_count", { made: task.made, asked: task.asked })],
      ["model", task.model],
      ["created", `${when} (${formatAge(task.created_at)})`],
      ["task_id", task.task_id ?? translate("details.no_task_id")],
    ];
    const shown = facts.filter(([, value]) => value);
    return make("dl", {}, ...shown.flatMap(([name, value]) => [
      make("dt", { text: translate(`details.${name}`) }),
      make("dd", { text: value, "data-fact": name }),
    ]));
  }

  makeActions() {
    const { task } = this;
    const isIdle = !task.is_live && task.state !== "forgotten";
    return [
      task.stored.length ? this.makeOpenLink() : null,
      task.task_id ? this.makeAction("copy", () => this.copy()) : null,
      task.task_id ? this.makeAction("poll", () => this.poll()) : null,
      task.has_urls ? this.makeAction("load", () => this.load()) : null,
      isIdle ? this.makeAction("forget", () => this.confirmForget(), { class: "seedream-button seedream-danger" }) : null,
    ];
  }

  makeOpenLink() {
    const href = imageUrl(this.task, this.task.stored[0]);
    return make("a", { class: "seedream-button", href, target: "_blank", rel: "noopener", text: translate("actions.open"), "data-action": "open" });
  }

  makeAction(name, act, properties = {}) {
    return makeButton(translate(`actions.${name}`), act, { "data-action": name, ...properties });
  }

  async copy() {
    this.report(translate((await copyText(this.task.task_id)) ? "actions.copied" : "actions.not_copied"));
  }

  poll() {
    addNode("SeedreamPollTask", { task_id: this.task.task_id });
    this.report(translate("actions.polled"));
  }

  async load() {
    try {
      const { urls } = await call(`/tasks/${this.task.id}`);
      addNode("SeedreamLoadURLImages", { urls: urls.join("\n") });
      this.report(translate("actions.loaded"));
    } catch (error) {
      this.report(error.message);
    }
  }

  confirmForget() {
    const { task } = this;
    // ComfyUI handles Escape too, and the browser then no longer closes the dialog.
    const escape = (event) => {
      event.stopPropagation();
      if (event.key === "Escape") dialog.close();
    };
    const dialog = make("dialog", {
      class: "seedream-dialog",
      "aria-labelledby": "seedream-forget-title",
      onclose: () => dialog.remove(),
      onkeydown: escape,
    },
      make("h3", { id: "seedream-forget-title", text: translate("forget.title", { id: task.id }) }),
      make("p", { text: translate("forget.text") }),
      task.charge === "possible" ? make("p", { class: "seedream-warning", text: translate("forget.unknown") }) : null,
      make("div", { class: "seedream-actions" },
        makeButton(translate("actions.cancel"), () => dialog.close(), { autofocus: true }),
        makeButton(translate("forget.confirm"), () => {
          dialog.close();
          this.sendForget(task);
        }, { class: "seedream-button seedream-danger", "data-action": "confirm" }),
      ),
    );
    // Outside the details: Escape closes those too, and would hide a dialog inside them.
    this.element.parentElement.append(dialog);
    dialog.showModal();
  }

  async sendForget(task) {
    try {
      await call(`/tasks/${task.id}/forget`, {});
      this.report(translate("actions.forgotten"));
    } catch (error) {
      this.report(error.message);
    }
  }
}
