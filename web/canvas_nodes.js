// What the panels do to the graph, and to the clipboard.
import { app } from "../../scripts/app.js";

/** Puts a new node into the middle of what is in sight, with these widget values. */
export function addNode(type, values) {
  const node = globalThis.LiteGraph.createNode(type);
  const [left, top, width, height] = app.canvas.ds.visible_area;
  node.pos = [left + (width - node.size[0]) / 2, top + (height - node.size[1]) / 2];
  // Inside a subgraph the canvas shows another graph than the outermost.
  (app.canvas.graph ?? app.graph).add(node);
  for (const widget of node.widgets ?? []) {
    if (widget.name in values) widget.value = values[widget.name];
  }
  app.canvas.selectNode?.(node);
  app.canvas.setDirty(true, true);
  app.extensionManager.workflow?.activeWorkflow?.changeTracker?.checkState?.();
  return node;
}

/** Whether the text is in the clipboard now. Over plain http only the old way exists. */
export async function copyText(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by a policy of the page: the old way may be allowed.
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
