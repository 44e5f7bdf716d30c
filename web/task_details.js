// The task that is chosen, whole: what it was, what it cost, what went wrong, and what can be done.
import { call, imageAddress } from "./api.js";
import { addNode, copyText } from "./canvas_nodes.js";
import { button, make } from "./dom.js";
import { age, chargeOf, errorOf, look, promptOf, stateOf } from "./task_row.js";
import { language, word } from "./words.js";

export class TaskDetails {
  /** `tell(text)` shows what was done; `left()` is called when the details are closed. */
  constructor(tell, left) {
    this.tell = tell;
    this.left = left;
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
    this.left();
  }

  focus() {
    this.element.querySelector("button, a")?.focus();
  }

  /** Shows a task at once, and its whole prompt as soon as it is known. */
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
      this.element.querySelector(".seedream-whole").textContent = promptOf(whole);
    } catch (error) {
      this.tell(error.message);
    }
  }

  render() {
    const { task } = this;
    const focused = document.activeElement?.dataset?.action;
    const title = make("h3", { id: "seedream-details-title", text: word("details.title", { id: task.id }) });
    const close = button("×", () => this.close(), { class: "seedream-close", "aria-label": word("tasks.closed"), "data-action": "close" });
    const parts = [
      make("header", {}, title, close),
      this.trouble(),
      this.images(),
      make("p", { class: "seedream-whole", text: this.prompt ?? promptOf(task) }),
      this.facts(),
      make("div", { class: "seedream-actions" }, ...this.actions()),
    ];
    this.element.replaceChildren(...parts.filter((part) => part !== null));
    this.element.hidden = false;
    if (focused) this.element.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  /** What went wrong, and what to do about it. */
  trouble() {
    const { task } = this;
    const error = errorOf(task);
    const isUnclear = look(task) === "unclear";
    if (!error && !isUnclear) return null;
    const advice = [error?.advice, isUnclear ? word(`unclear.${task.state}`) : null].filter(Boolean);
    return make("div", { class: "seedream-trouble", "data-look": look(task) },
      error ? make("p", { text: error.happened }) : null,
      advice.length ? make("p", {}, make("strong", { text: `${word("details.advice")}: ` }), advice.at(-1)) : null,
    );
  }

  images() {
    const { task } = this;
    if (!task.stored.length) return null;
    return make("div", { class: "seedream-images" }, ...task.stored.map((position, place) => make("a", {
      href: imageAddress(task, position),
      target: "_blank",
      rel: "noopener",
      "aria-label": word("details.open_image", { number: place + 1 }),
    }, make("img", { alt: "", src: imageAddress(task, position, true) }))));
  }

  facts() {
    const { task } = this;
    const when = new Date(task.created_at * 1000).toLocaleString(language() === "zh" ? "zh-CN" : undefined);
    const facts = [
      ["state", stateOf(task)],
      ["cost", chargeOf(task)],
      ["images", word("details.image_count", { made: task.made, asked: task.asked })],
      ["model", task.model],
      ["created", `${when} (${age(task.created_at)})`],
      ["task_id", task.task_id ?? word("details.no_task_id")],
    ];
    const shown = facts.filter(([, value]) => value);
    return make("dl", {}, ...shown.flatMap(([name, value]) => [
      make("dt", { text: word(`details.${name}`) }),
      make("dd", { text: value, "data-fact": name }),
    ]));
  }

  actions() {
    const { task } = this;
    const isIdle = !task.is_live && task.state !== "forgotten";
    return [
      task.stored.length ? this.opener() : null,
      task.task_id ? this.action("copy", () => this.copy()) : null,
      task.task_id ? this.action("poll", () => this.poll()) : null,
      task.has_urls ? this.action("load", () => this.load()) : null,
      isIdle ? this.action("forget", () => this.forget(), { class: "seedream-button seedream-danger" }) : null,
    ];
  }

  opener() {
    const href = imageAddress(this.task, this.task.stored[0]);
    return make("a", { class: "seedream-button", href, target: "_blank", rel: "noopener", text: word("actions.open"), "data-action": "open" });
  }

  action(name, act, properties = {}) {
    return button(word(`actions.${name}`), act, { "data-action": name, ...properties });
  }

  async copy() {
    this.tell(word((await copyText(this.task.task_id)) ? "actions.copied" : "actions.not_copied"));
  }

  poll() {
    addNode("SeedreamPollTask", { task_id: this.task.task_id });
    this.tell(word("actions.polled"));
  }

  async load() {
    try {
      const { urls } = await call(`/tasks/${this.task.id}`);
      addNode("SeedreamLoadURLImages", { urls: urls.join("\n") });
      this.tell(word("actions.loaded"));
    } catch (error) {
      this.tell(error.message);
    }
  }

  forget() {
    const { task } = this;
    // ComfyUI has a use of its own for Escape, after which a browser no longer closes the dialog.
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
      make("h3", { id: "seedream-forget-title", text: word("forget.title", { id: task.id }) }),
      make("p", { text: word("forget.text") }),
      task.charge === "possible" ? make("p", { class: "seedream-warning", text: word("forget.unknown") }) : null,
      make("div", { class: "seedream-actions" },
        button(word("actions.cancel"), () => dialog.close(), { autofocus: true }),
        button(word("forget.confirm"), () => {
          dialog.close();
          this.forgotten(task);
        }, { class: "seedream-button seedream-danger", "data-action": "confirm" }),
      ),
    );
    // Not inside the details: Escape closes those too, and would hide an open dialog in them.
    this.element.parentElement.append(dialog);
    dialog.showModal();
  }

  async forgotten(task) {
    try {
      await call(`/tasks/${task.id}/forget`, {});
      this.tell(word("actions.forgotten"));
    } catch (error) {
      this.tell(error.message);
    }
  }
}
