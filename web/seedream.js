// What ComfyUI loads: the settings panel, the task panel, and the lines on the nodes.
import { app } from "../../scripts/app.js";
import { TAB } from "./host_actions.js";
import { loadTranslations, translate } from "./i18n.js";
import "./commands.js";
import { attachToNode, followRuns } from "./node_status.js";
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
      // ComfyUI's search looks here; the panel hides this name and shows other labels.
      name: "Seedream: API key, sandbox, proxy, upload, cost",
      category: ["Seedream", "DeepSpaceAPI", "Settings"],
      type: renderSettingsPanel,
      defaultValue: undefined,
    },
  ],
  async setup() {
    followRuns();
    await loadTranslations();
    app.extensionManager.registerSidebarTab({
      id: TAB,
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
