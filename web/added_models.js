// Tooltips of choices name the values that added models take. ComfyUI translates a tooltip as a whole
// and so loses them; this adds them in the page's language.
import { app } from "../../scripts/app.js";
import { getTooltip, loadTranslations, translate } from "./i18n.js";
import { isOwn } from "./own_nodes.js";

const OWN_VALUES = "seedream_models"; // see nodes/inputs.py

app.registerExtension({
  name: "Seedream.AddedModels",
  init: loadTranslations,
  nodeCreated(node) {
    describeChoices(node, node.constructor.nodeData);
  },
  refreshComboInNodes(definitions) {
    for (const node of findAllNodes()) describeChoices(node, definitions[node.comfyClass]);
  },
});

function findAllNodes() {
  const root = app.rootGraph ?? app.graph;
  return [root, ...(root?.subgraphs?.values() ?? [])].flatMap((graph) => graph?.nodes ?? []);
}

function describeChoices(node, definition) {
  if (!isOwn(node)) return; // the tooltips of other packs are theirs
  const inputs = { ...definition?.input?.required, ...definition?.input?.optional };
  for (const widget of node.widgets ?? []) {
    const tooltip = getTooltip(node.comfyClass, widget.name);
    if (!tooltip) continue; // an English one is complete
    const models = Object.entries(inputs[widget.name]?.[1]?.[OWN_VALUES] ?? {});
    const texts = models.map(([id, values]) => translate(values.length ? "models.takes" : "models.takes_none", { id, values: values.join(", ") }));
    widget.tooltip = texts.length ? [tooltip, ...texts].join("") : undefined;
  }
}
