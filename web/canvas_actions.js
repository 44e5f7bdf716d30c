// What the panels do with the graph and the clipboard.
import { app } from "../../scripts/app.js";

const GAP_PX = 40;
const TITLE_PX = 40;
const LOADER_PX = 320;
const GENERATORS = new Set(["SeedreamPreferential", "SeedreamEvolink"]);
const IMAGE_INPUT = /^images\./;

/** Adds a node with these widget values to the middle of the visible canvas, or below what is there. */
export function addNode(type, values) {
  const node = createNode(type, values);
  const [left, top, width, height] = app.canvas.ds.visible_area;
  placeFreely(node, left + (width - node.size[0]) / 2, top + (height - node.size[1]) / 2);
  finish(node);
  return node;
}

/** Puts a node with a recorded job's inputs on the canvas, and a Load Image for each reference file. */
export function putInputs({ class_type, inputs, references }) {
  const node = addNode(class_type, inputs);
  const files = references.map(({ file }) => file).filter(Boolean);
  const loaders = files.map((file, place) => {
    const loader = createNode("LoadImage", { image: file });
    placeFreely(loader, node.pos[0] - LOADER_PX - GAP_PX, node.pos[1] + place * (loader.size[1] + GAP_PX));
    return loader;
  });
  for (const loader of loaders) connect(loader, node);
  finish(node);
}

/** Shows a file of the input folder in a Load Image node: in the one that has it, else in a new one.
 * Links it to the selected generator and returns whether there was one with a free input. */
export function useAsReference(file) {
  const graph = getGraph();
  const target = Object.values(app.canvas.selected_nodes ?? {}).find((node) => GENERATORS.has(node.comfyClass));
  let loader = graph.nodes.find((node) => node.type === "LoadImage" && node.widgets?.[0]?.value === file);
  if (!loader) {
    loader = createNode("LoadImage", { image: file });
    const [left, top, width, height] = app.canvas.ds.visible_area;
    const at = target ? [target.pos[0] - LOADER_PX - GAP_PX, target.pos[1]] : [left + width / 2, top + height / 2];
    placeFreely(loader, ...at);
  }
  const isLinked = target ? connect(loader, target) : false;
  finish(isLinked ? target : loader);
  return isLinked;
}

/** Returns the graph that the canvas shows, which may be a subgraph. */
function getGraph() {
  return app.canvas.graph ?? app.graph;
}

function createNode(type, values) {
  const node = globalThis.LiteGraph.createNode(type);
  getGraph().add(node);
  for (const widget of node.widgets ?? []) {
    if (!(widget.name in values)) continue;
    const value = values[widget.name];
    const choices = widget.options?.values;
    // A file that was copied just now is not among the choices yet.
    if (type === "LoadImage" && Array.isArray(choices) && !choices.includes(value)) choices.push(value);
    widget.value = value;
    widget.callback?.(value, app.canvas, node);
  }
  return node;
}

/** Moves a node to a place, or below the nodes that it would cover there. */
function placeFreely(node, x, y) {
  node.pos = [x, y];
  const others = getGraph().nodes.filter((other) => other !== node);
  const covers = (other) => {
    const [width, height] = sizeOf(other);
    return x < other.pos[0] + width && other.pos[0] < x + node.size[0] &&
      node.pos[1] - TITLE_PX < other.pos[1] + height && other.pos[1] - TITLE_PX < node.pos[1] + node.size[1];
  };
  for (let found = others.find(covers); found; found = others.find(covers)) {
    node.pos = [x, found.pos[1] + sizeOf(found)[1] + TITLE_PX + GAP_PX];
  }
}

/** Returns the size of a node as it is drawn: with an image, its element is larger than the node says. */
function sizeOf(node) {
  const element = document.querySelector(`[data-node-id="${node.id}"]`);
  const height = element ? element.getBoundingClientRect().height / app.canvas.ds.scale : 0;
  return [node.size[0], Math.max(node.size[1], height)];
}

/** Links a loader to the first free image input; returns whether there is one, or it was linked. */
function connect(loader, node) {
  const links = getGraph().links;
  const isFrom = (input) => (links.get?.(input.link) ?? links[input.link])?.origin_id === loader.id;
  if (node.inputs.some((input) => IMAGE_INPUT.test(input.name) && input.link != null && isFrom(input))) return true;
  const slot = node.inputs.findIndex((input) => IMAGE_INPUT.test(input.name) && input.link == null);
  if (slot < 0) return false;
  loader.connect(0, node, slot);
  return true;
}

/** Selects a node, moves the view to it if it is outside, and notes the change for undo. */
function finish(node) {
  const [left, top, width, height] = app.canvas.ds.visible_area;
  const [x, y] = [node.pos[0] + node.size[0] / 2, node.pos[1] + Math.min(node.size[1], height) / 2];
  const isVisible = x > left && x < left + width && y > top && y < top + height;
  if (!isVisible) app.canvas.centerOnNode?.(node);
  app.canvas.selectNode?.(node);
  app.canvas.setDirty(true, true);
  app.extensionManager.workflow?.activeWorkflow?.changeTracker?.checkState?.();
}

/** Copies a text and returns whether that worked. Over plain http only `execCommand` exists. */
export async function copyText(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // The page's policy forbids it: `execCommand` may still be allowed.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  const around = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  around?.focus?.();
  return isCopied;
}
