// What the panels do with the graph and the clipboard.
import { app } from "../../scripts/app.js";

/** Adds a node with these widget values to the middle of the visible canvas. */
export function addNode(type, values) {
  const node = globalThis.LiteGraph.createNode(type);
  const [left, top, width, height] = app.canvas.ds.visible_area;
  node.pos = [left + (width - node.size[0]) / 2, top + (height - node.size[1]) / 2];
  // Inside a subgraph, the canvas shows that instead of the outermost graph.
  (app.canvas.graph ?? app.graph).add(node);
  for (const widget of node.widgets ?? []) {
    if (widget.name in values) widget.value = values[widget.name];
  }
  app.canvas.selectNode?.(node);
  app.canvas.setDirty(true, true);
  app.extensionManager.workflow?.activeWorkflow?.changeTracker?.checkState?.();
  return node;
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
