// A seed of this pack is part of what makes a request new, and paid for: it must not change by itself.
// Older frontends take the control's start value, which the node asks for, for its name, and begin
// with "randomize". So the control is found by the seed that it belongs to.
import { app } from "../../scripts/app.js";

const NODES = new Set(["SeedreamPreferential", "SeedreamEvolink"]);

app.registerExtension({
  name: "Seedream.SeedControl",
  // Runs before a saved workflow's values are put in, so that those stay as they were saved.
  nodeCreated(node) {
    if (!NODES.has(node.comfyClass)) return;
    const seed = node.widgets?.find((widget) => widget.name === "seed");
    const control = seed?.linkedWidgets?.[0];
    if (control) control.value = "fixed";
  },
});
