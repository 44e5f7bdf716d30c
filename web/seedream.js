// What ComfyUI loads: the settings panel.
import { app } from "../../scripts/app.js";
import { settingsPanel } from "./settings_panel.js";

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = new URL("./seedream.css", import.meta.url).href;
document.head.append(style);

app.registerExtension({
  name: "Seedream.Panels",
  settings: [
    {
      // Nothing is ever stored under this id: the panel talks to the pack's own routes.
      id: "Seedream.Settings",
      name: "Seedream",
      category: ["Seedream", "DeepSpaceAPI", "Settings"],
      type: settingsPanel,
      defaultValue: undefined,
    },
  ],
});
