// A seed of this pack is part of what makes a request new, and paid for: it must not change by itself.
// Older frontends ignore the control that the node asks for and begin with "randomize".
import { app } from "../../scripts/app.js";

const NODES = new Set(["SeedreamPreferential", "SeedreamEvolink"]);

app.registerExtension({
  name: "Seedream.SeedControl",
  // Runs before a saved workflow's values are put in, so that those stay as they were saved.
  nodeCreated(node) {
    if (!NODES.has(node.comfyClass)) return;
    const control = node.widgets?.find((widget) => widget.name === "control_after_generate");
    if (control) control.value = "fixed";
  },
});
