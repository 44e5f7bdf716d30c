// The lines on a generator node: where the last result came from, and how many images the next click
// may charge. That is asked of the server, which knows what has been paid for already; nothing of it
// is saved in a workflow or sent with a prompt.
import { api } from "../../scripts/api.js";
import { call, onTask } from "./api.js";
import { make, tell } from "./dom.js";
import { language, loadWords, word } from "./words.js";

const NODES = new Set(["SeedreamPreferential", "SeedreamEvolink"]);
const TYPING_MS = 400;
const MARGIN_PX = 4;
const HEIGHT_PX = 48;
const NAME = "seedream_charge";

const lines = new Set();

/** ComfyUI's hook for each new node. */
export function followNode(node) {
  if (NODES.has(node.comfyClass) && node.addDOMWidget) new Line(node);
}

/** What a click may charge depends on what has been done since, and on the settings. */
export function followRuns() {
  const all = () => lines.forEach((line) => line.soon());
  for (const event of ["execution_success", "execution_error", "execution_interrupted"]) api.addEventListener(event, all);
  onTask((task) => ["completed", "partial", "unknown", "forgotten"].includes(task.state) && all());
  window.addEventListener("seedream-settings", all);
}

class Line {
  constructor(node) {
    this.node = node;
    this.last = make("div", { class: "seedream-last", hidden: true });
    this.quote = make("div", { class: "seedream-quote", hidden: true });
    this.element = make("div", { class: "seedream-line", role: "status", hidden: true }, this.last, this.quote);
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
    // Neither in the saved workflow, whose values keep their places, nor in the prompt.
    this.widget.serialize = false;
    this.widget.serializeValue = undefined;
    loadWords().then(() => (this.widget.label = word("line.label")));
    this.watch();
    lines.add(this);
    this.soon();
  }

  watch() {
    const soon = () => this.soon();
    for (const widget of this.node.widgets) {
      if (widget !== this.widget) widget.callback = after(widget.callback, soon);
    }
    this.node.onConnectionsChange = after(this.node.onConnectionsChange, soon);
    this.node.onExecuted = after(this.node.onExecuted, (output) => {
      if (output?.images) dropPreview(this.node);
      this.ran(output?.seedream);
    });
    this.node.onConfigure = after(this.node.onConfigure, soon);
    this.node.onRemoved = after(this.node.onRemoved, () => {
      clearTimeout(this.waiting);
      lines.delete(this);
    });
  }

  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), TYPING_MS);
  }

  async ask() {
    const asked = JSON.stringify({ class_type: this.node.comfyClass, inputs: this.inputs() });
    this.asked = asked;
    let told;
    try {
      await loadWords();
      if (await hasSeveralUsers()) return;
      told = said(await call("/quote", JSON.parse(asked)));
    } catch (error) {
      told = [error.message, "error"];
    }
    if (this.asked !== asked) return;
    tell(this.quote, told[0]);
    this.quote.title = told[0];
    this.quote.dataset.kind = told[1];
    this.element.hidden = false;
  }

  /** What came of a run; a list that was linked makes several. */
  ran(results) {
    const result = results?.at(-1);
    if (!result) return;
    const text = result.images
      ? word(`line.ran_${result.origin}`, { images: result.images })
      : word("line.ran_submitted");
    tell(this.last, text);
    this.last.title = text;
    this.element.hidden = false;
  }

  /** As in an API prompt; what is linked is a list. */
  inputs() {
    const given = {};
    for (const widget of this.node.widgets) {
      if (widget !== this.widget) given[widget.name] = widget.value;
    }
    for (const input of this.node.inputs ?? []) {
      if (input.link !== null && input.link !== undefined) given[input.name] = ["", 0];
    }
    return given;
  }
}

const REVOKED_MS = 600; // ComfyUI lets go of a preview a little later than it is asked to

/** The references that were shown while the node ran give way to the images that came: ComfyUI would
 * keep the last preview in front of them, and offers scripts no other way to take it back. */
function dropPreview(node) {
  const pinia = document.getElementById("vue-app")?.__vue_app__?.config.globalProperties.$pinia;
  pinia?._s.get("nodeOutput")?.revokePreviewsByExecutionId?.(String(node.id));
  setTimeout(() => {
    node.images = node.preview = undefined;
    node.setDirtyCanvas(true);
  }, REVOKED_MS);
}

/** The text, and what kind it is. */
function said({ images, linked, state, sandbox, error }) {
  if (error) return [error[language()], "error"];
  if (images && sandbox) return [word("line.free", { images }), "free"];
  if (images) return [word(linked ? "line.new_linked" : "line.new", { images }), "new"];
  if (["completed", "partial"].includes(state)) return [word("line.stored"), "free"];
  return state === "unknown" ? [word("line.unknown"), "new"] : [word("line.joined"), "free"];
}

let users = null;

/** With several users this ComfyUI tells nobody about anybody's runs. */
async function hasSeveralUsers() {
  users ??= api.getUserConfig();
  return (await users).users !== undefined;
}

function after(before, then) {
  return function (...given) {
    const result = before?.apply(this, given);
    then(...given);
    return result;
  };
}
