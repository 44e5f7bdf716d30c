// What ComfyUI loads: the settings panel, the task panel, and the lines on the nodes.
import { app } from "../../scripts/app.js";
import { attachToNode, refreshAfterRuns } from "./charge_line.js";
import { loadTranslations, translate } from "./i18n.js";
import { renderSettingsPanel } from "./settings_panel.js";
import { taskPanel } from "./task_panel.js";

for (const sheet of ["./seedream.css", "./accounts.css", "./models.css", "./tasks.css", "./viewer.css"]) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL(sheet, import.meta.url).href;
  document.head.append(style);
}

app.registerExtension({
  name: "Seedream.Panels",
  settings: [
    {
      // Nothing is stored under this id: the panel uses the pack's own routes.
      id: "Seedream.Settings",
      name: "Seedream",
      category: ["Seedream", "DeepSpaceAPI", "Settings"],
      type: renderSettingsPanel,
      defaultValue: undefined,
    },
  ],
  async setup() {
    refreshAfterRuns();
    await loadTranslations();
    app.extensionManager.registerSidebarTab({
      id: "seedream-tasks",
      icon: "pi pi-images",
      title: "Seedream",
      tooltip: translate("tasks.title"),
      type: "custom",
      render: taskPanel.open,
      destroy: taskPanel.close,
    });
  },
  nodeCreated: attachToNode,
});
