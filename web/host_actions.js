// What the buttons and commands of this pack ask of ComfyUI's page.
import { app } from "../../scripts/app.js";
import { saveSettings } from "./api.js";
import { translate } from "./i18n.js";

export const TAB = "seedream-tasks";
const DIALOG_MS = 3000;
const OPENING_MS = 1500; // in which a dialog of ComfyUI takes the focus for its own first field

/** Opens ComfyUI's settings at this pack's panel, with the focus on the key if it is missing. */
export async function openSettings() {
  app.extensionManager.command.execute("Comfy.ShowSettingsDialog");
  const entry = await waitFor(() =>
    [...document.querySelectorAll("[role=dialog] *")].find((one) => !one.children.length && one.textContent.trim() === "Seedream"),
  );
  entry?.click();
  const key = await waitFor(() => document.querySelector("#seedream-settings input[type=password]:not(:disabled)"));
  if (key) await holdFocus(key);
}

/** Keeps the focus on a field while its dialog opens, until the user does something. */
async function holdFocus(field) {
  const acted = new AbortController();
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => acted.abort(), { capture: true, signal: acted.signal });
  }
  for (const end = Date.now() + OPENING_MS; Date.now() < end && field.isConnected && !acted.signal.aborted; ) {
    if (document.activeElement !== field) field.focus();
    await new Promise(requestAnimationFrame);
  }
  acted.abort();
}

/** Opens the task panel, with the tasks that a text finds. */
export async function openTasks(text = "") {
  const sidebar = app.extensionManager.sidebarTab;
  if (sidebar?.activeSidebarTabId !== TAB) app.extensionManager.command.execute(`Workspace.ToggleSidebarTab.${TAB}`);
  const search = await waitFor(() => document.querySelector("#seedream-search"));
  if (!search || search.value === text) return;
  search.value = text;
  search.dispatchEvent(new Event("input", { bubbles: true }));
}

async function waitFor(find) {
  for (const end = Date.now() + DIALOG_MS; Date.now() < end; ) {
    const found = find();
    if (found) return found;
    await new Promise(requestAnimationFrame);
  }
  return null;
}

/** Makes the sandbox the service, which is free and needs no key. */
export async function useSandbox() {
  try {
    await saveSettings("/settings", { DEEPSPACE_BASE_URL: "sandbox" });
    notify("success", translate("line.sandbox_used"));
  } catch (error) {
    notify("error", error.message);
  }
}

/** Shows a short message of ComfyUI's own kind, where the host has them. */
export function notify(severity, detail, life = 6000) {
  app.extensionManager.toast?.add({ severity, summary: "Seedream", detail, life });
}
