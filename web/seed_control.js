// Another seed makes a new, paid request, so the seed must not change automatically. Older frontends
// take the start value that the node asks for as the name of the control, and start it with
// "randomize". So the control is found by the seed that it belongs to.
import { app } from "../../scripts/app.js";

const NODES = new Set(["SeedreamPreferential", "SeedreamEvolink", "SeedreamBatch"]);

app.registerExtension({
  name: "Seedream.SeedControl",
  // Runs before the values of a saved workflow are set, so those stay as they were saved.
  nodeCreated(node) {
    if (!NODES.has(node.comfyClass)) return;
    const seed = node.widgets?.find((widget) => widget.name === "seed");
    const control = seed?.linkedWidgets?.[0];
    if (control) control.value = "fixed";
  },
});
