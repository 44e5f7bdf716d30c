// This pack in ComfyUI's menus: commands under *Seedream*, entries of a node's right click, the badges
// of the About panel. A host without one of these ignores it.
import { app } from "../../scripts/app.js";
import { call } from "./api.js";
import { copyText } from "./canvas_actions.js";
import { notify, openSettings, openTasks, useSandbox } from "./host_actions.js";
import { getLanguage, loadTranslations, translate } from "./i18n.js";
import { statusOf } from "./node_status.js";
import { collectAll } from "./recovery.js";

const REPOSITORY = "https://github.com/seedream-deepspace/comfyui-seedream-deepspace";
const MAX_SEED = 2 ** 53 - 1;

const commands = [
  { id: "Seedream.OpenTasks", label: "Open tasks", icon: "pi pi-images", function: () => openTasks() },
  { id: "Seedream.CollectUnfinished", label: "Collect unfinished tasks", icon: "pi pi-download", function: () => collectAll((text, severity) => notify(severity, text)) },
  { id: "Seedream.CheckKey", label: "Check key, address and balance", icon: "pi pi-check-circle", function: checkKey },
  { id: "Seedream.UseSandbox", label: "Use the sandbox", icon: "pi pi-box", function: useSandbox },
  { id: "Seedream.OpenSettings", label: "Open settings", icon: "pi pi-cog", function: openSettings },
];

const aboutPageBadges = [];

app.registerExtension({
  name: "Seedream.Commands",
  commands,
  menuCommands: [{ path: ["Seedream"], commands: commands.map(({ id }) => id) }],
  aboutPageBadges,
  getNodeMenuItems,
  async setup() {
    await loadTranslations();
    try {
      const { version } = await call("/about");
      const label = `Seedream v${version}`;
      const documentation = getLanguage() === "zh" ? `${REPOSITORY}/blob/main/README.zh-CN.md` : `${REPOSITORY}#readme`;
      aboutPageBadges.push(
        { label, url: `${REPOSITORY}/releases`, icon: "pi pi-images" },
        { label: translate("about.documentation"), url: documentation, icon: "pi pi-book" },
        { label: translate("about.doctor"), url: `${REPOSITORY}/blob/main/docs/troubleshooting.md`, icon: "pi pi-wrench" },
      );
    } catch {
      // With several users the routes are closed; the panel says so.
    }
  },
});

/** Shows in a message what `doctor` says: the problems, or that there are none. */
async function checkKey() {
  try {
    const { checks } = await call("/doctor", {});
    const language = getLanguage();
    const problems = checks.filter(({ verdict }) => verdict === "problem");
    const shown = problems.length ? problems : checks.filter(({ name }) => ["service", "balance"].includes(name));
    notify(problems.length ? "error" : "success", shown.map(({ message }) => message[language]).join("\n"), 12000);
  } catch (error) {
    notify("error", error.message);
  }
}

function getNodeMenuItems(node) {
  const status = statusOf(node);
  if (!status) return [];
  const taskId = status.taskId;
  const items = [{ content: translate("commands.node_tasks"), callback: () => openTasks(taskId || status.prompt) }];
  if (taskId) items.push({ content: translate("commands.copy_task"), callback: () => copyTask(taskId) });
  const seed = node.widgets.find(({ name }) => name === "seed");
  if (seed && status.isPaying) items.push({ content: translate("commands.again"), callback: () => runAgain(seed) });
  return [null, ...items];
}

async function copyTask(taskId) {
  const isCopied = await copyText(taskId);
  notify(isCopied ? "success" : "error", translate(isCopied ? "actions.copied" : "actions.not_copied"), 3000);
}

/** Runs the workflow with another seed on this node, which makes a new request. */
function runAgain(seed) {
  seed.value = Math.floor(Math.random() * MAX_SEED);
  seed.callback?.(seed.value);
  app.queuePrompt(0, 1);
}
