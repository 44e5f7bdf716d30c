// The lines on a generator node: where the last result came from, and how many images the next run
// may charge. The server knows what has been paid for and is asked for the estimate; none of it is
// saved in a workflow or sent with a prompt.
import { api } from "../../scripts/api.js";
import { call, onTask } from "./api.js";
import { make, setText } from "./dom.js";
import { describeLink } from "./linked_inputs.js";
import { getLanguage, loadTranslations, translate } from "./i18n.js";

const NODES = new Set(["SeedreamPreferential", "SeedreamEvolink"]);
const TYPING_MS = 400;
const MARGIN_PX = 4;
const HEIGHT_PX = 48;
const NAME = "seedream_charge";

const lines = new Set();

/** Adds the lines to a new node. ComfyUI calls it for each one. */
export function attachToNode(node) {
  if (NODES.has(node.comfyClass) && node.addDOMWidget) new ChargeLine(node);
}

/** Refreshes every estimate after a run or a change of settings. */
export function refreshAfterRuns() {
  const refreshAll = () => lines.forEach((line) => line.scheduleRefresh());
  for (const event of ["execution_success", "execution_error", "execution_interrupted"]) api.addEventListener(event, refreshAll);
  onTask((task) => ["completed", "partial", "unknown", "forgotten"].includes(task.state) && refreshAll());
  window.addEventListener("seedream-settings", refreshAll);
}

class ChargeLine {
  constructor(node) {
    this.node = node;
    this.last = make("div", { class: "seedream-last", hidden: true });
    this.estimate = make("div", { class: "seedream-quote", hidden: true });
    this.element = make("div", { class: "seedream-line", role: "status", hidden: true }, this.last, this.estimate);
    this.widget = node.addDOMWidget(NAME, NAME, this.element, {
      serialize: false,
      hideOnZoom: false,
      selectOn: [],
      margin: MARGIN_PX,
      getValue: () => "",
      setValue: () => {},
      getMinHeight: () => HEIGHT_PX,
      getMaxHeight: () => HEIGHT_PX,
    });
    // Keep the widget out of the saved workflow, whose values are read by position, and of the prompt.
    this.widget.serialize = false;
    this.widget.serializeValue = undefined;
    loadTranslations().then(() => (this.widget.label = translate("line.label")));
    this.watch();
    lines.add(this);
    this.scheduleRefresh();
  }

  watch() {
    const refresh = () => this.scheduleRefresh();
    for (const widget of this.node.widgets) {
      if (widget !== this.widget) widget.callback = callAfter(widget.callback, refresh);
    }
    this.node.onConnectionsChange = callAfter(this.node.onConnectionsChange, refresh);
    this.node.onExecuted = callAfter(this.node.onExecuted, (output) => {
      if (output?.images) dropPreview(this.node);
      this.showLastRun(output?.seedream);
    });
    this.node.onConfigure = callAfter(this.node.onConfigure, refresh);
    this.node.onRemoved = callAfter(this.node.onRemoved, () => {
      clearTimeout(this.waiting);
      lines.delete(this);
    });
  }

  scheduleRefresh() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.refresh(), TYPING_MS);
  }

  async refresh() {
    const requested = JSON.stringify({ class_type: this.node.comfyClass, inputs: this.collectInputs() });
    this.requested = requested;
    let shown;
    try {
      await loadTranslations();
      if (await hasSeveralUsers()) return;
      shown = describeQuote(await call("/quote", JSON.parse(requested)));
    } catch (error) {
      shown = [error.message, "error"];
    }
    if (this.requested !== requested) return;
    setText(this.estimate, shown[0]);
    this.estimate.title = shown[0];
    this.estimate.dataset.kind = shown[1];
    this.element.hidden = false;
  }

  /** Shows the result of a run; a linked list makes several results. */
  showLastRun(results) {
    const result = results?.at(-1);
    if (!result) return;
    const text = result.images
      ? translate(`line.ran_${result.origin}`, { images: result.images })
      : translate("line.ran_submitted");
    setText(this.last, text);
    this.last.title = text;
    this.element.hidden = false;
  }

  /** Collects the inputs as an API prompt has them: a linked one is a list. */
  collectInputs() {
    const given = {};
    for (const widget of this.node.widgets) {
      if (widget !== this.widget) given[widget.name] = widget.value;
    }
    (this.node.inputs ?? []).forEach((input, slot) => {
      if (input.link !== null && input.link !== undefined) given[input.name] = describeLink(this.node, slot);
    });
    return given;
  }
}

const REVOKED_MS = 600; // ComfyUI removes a preview a little after the call

/** Removes the reference images that were shown while the node ran: ComfyUI would keep this last
 * preview in front of the result images, and gives scripts no other means to remove it. */
function dropPreview(node) {
  const pinia = document.getElementById("vue-app")?.__vue_app__?.config.globalProperties.$pinia;
  pinia?._s.get("nodeOutput")?.revokePreviewsByExecutionId?.(String(node.id));
  setTimeout(() => {
    node.images = node.preview = undefined;
    node.setDirtyCanvas(true);
  }, REVOKED_MS);
}

/** Returns the text for a quote, and its kind. */
function describeQuote({ images, linked, state, sandbox, error, notes }) {
  if (error) return [error[getLanguage()], "error"];
  const said = (notes?.[getLanguage()] ?? []).map((note) => ` · ${note}`).join("");
  if (images && sandbox) return [translate("line.free", { images }) + said, "free"];
  if (images) return [translate(linked ? "line.new_linked" : "line.new", { images }) + said, "new"];
  if (["completed", "partial"].includes(state)) return [translate("line.stored"), "free"];
  return state === "unknown" ? [translate("line.unknown"), "new"] : [translate("line.joined"), "free"];
}

let users = null;

/** With several users ComfyUI must not show one user the runs of another. */
async function hasSeveralUsers() {
  users ??= api.getUserConfig();
  return (await users).users !== undefined;
}

function callAfter(before, then) {
  return function (...given) {
    const result = before?.apply(this, given);
    then(...given);
    return result;
  };
}
