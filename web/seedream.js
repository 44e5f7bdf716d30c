// What ComfyUI loads: the settings panel, the task panel, and the line on the nodes.
import { app } from "../../scripts/app.js";
import { followNode, followRuns } from "./node_line.js";
import { settingsPanel } from "./settings_panel.js";
import { taskPanel } from "./task_panel.js";
import { loadWords, word } from "./words.js";

for (const sheet of ["./seedream.css", "./tasks.css"]) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL(sheet, import.meta.url).href;
  document.head.append(style);
}

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
  async setup() {
    followRuns();
    await loadWords();
    app.extensionManager.registerSidebarTab({
      id: "seedream-tasks",
      icon: "pi pi-images",
      title: "Seedream",
      tooltip: word("tasks.title"),
      type: "custom",
      render: taskPanel.open,
      destroy: taskPanel.close,
    });
  },
  nodeCreated: followNode,
});
