// Drop an image on the panel, or choose a file, to find the task that made it.
import { addNode } from "./canvas_actions.js";
import { make, makeButton } from "./dom.js";
import { translate } from "./i18n.js";
import { findTaskOf } from "./receipts.js";

/** Makes `root` find tasks: `view(task)` shows one, `report(text)` says why there is none. */
export class TaskDrop {
  constructor(root, { view, report }) {
    Object.assign(this, { root, view, report });
    this.hint = make("div", { class: "seedream-drop", hidden: true }, make("span", { class: "pi pi-image", "aria-hidden": "true" }), translate("receipt.drop"));
    root.append(this.hint);
    root.addEventListener("dragover", (event) => this.onDrag(event));
    root.addEventListener("dragleave", (event) => root.contains(event.relatedTarget) || (this.hint.hidden = true));
    root.addEventListener("drop", (event) => this.onDrop(event));
  }

  onDrag(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    // ComfyUI would load the workflow of the image.
    event.preventDefault();
    event.stopPropagation();
    this.hint.hidden = false;
  }

  onDrop(event) {
    this.hint.hidden = true;
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    this.find(file);
  }

  /** Lets a person choose a file. */
  choose() {
    const input = make("input", { type: "file", accept: "image/*", onchange: () => input.files[0] && this.find(input.files[0]) });
    input.click();
  }

  async find(file) {
    try {
      const { receipts, task } = await findTaskOf(file);
      if (task) this.view(task);
      else if (receipts.length) this.showReceipt(file.name, receipts[0]);
      else this.report(translate("receipt.none", { name: file.name }));
    } catch (error) {
      this.report(error.message);
    }
  }

  /** Shows a receipt whose task is in another ledger. */
  showReceipt(name, { model, fields, seed, references, task_id, time }) {
    const facts = [
      ["model", model],
      ["settings", Object.entries(fields ?? {}).filter(([key]) => key !== "model").map((pair) => pair.join(" ")).join(" · ")],
      ["seed", seed],
      ["references", references],
      ["created", time && new Date(time).toLocaleString()],
      ["task_id", task_id],
    ].filter(([, value]) => value);
    const dialog = make("dialog", {
      class: "seedream-dialog",
      "aria-labelledby": "seedream-receipt-title",
      onclose: () => dialog.remove(),
      onkeydown: (event) => {
        event.stopPropagation();
        if (event.key === "Escape") dialog.close();
      },
    },
      make("h3", { id: "seedream-receipt-title", text: name }),
      make("p", { text: translate("receipt.elsewhere") }),
      make("dl", {}, ...facts.flatMap(([key, value]) => [make("dt", { text: translate(`details.${key}`) }), make("dd", { text: value })])),
      make("div", { class: "seedream-actions" },
        makeButton(translate("tasks.closed"), () => dialog.close(), { autofocus: true }),
        task_id ? makeButton(translate("actions.poll"), () => {
          dialog.close();
          addNode("SeedreamPollTask", { task_id });
        }) : null,
      ),
    );
    this.root.append(dialog);
    dialog.showModal();
  }
}
