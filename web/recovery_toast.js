// Shows a toast when recovery has fetched images: at once, and once after a start of ComfyUI during
// which no page was open.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { call } from "./api.js";
import { notify } from "./host_actions.js";
import { loadTranslations, translateCount } from "./i18n.js";

const EVENT = "seedream.recovered";
const SEEN = "Seedream.Recovered"; // in the browser's storage: the last summary that was shown
const LIFE_MS = 10_000;

app.registerExtension({
  name: "Seedream.RecoveryToast",
  async setup() {
    await loadTranslations();
    api.addEventListener(EVENT, (event) => show(event.detail));
    try {
      const summary = await call("/recovery");
      if (summary.id !== readSeen()) show(summary);
    } catch {
      // The panel reports a server that does not respond.
    }
  },
});

function show({ id, images, tasks }) {
  if (!images) return;
  writeSeen(id);
  notify("success", translateCount("recovery.came", images, { images, tasks: tasks.length }), LIFE_MS);
}

function readSeen() {
  try {
    return localStorage.getItem(SEEN);
  } catch {
    return null; // storage is disabled
  }
}

function writeSeen(id) {
  try {
    localStorage.setItem(SEEN, id);
  } catch {
    // The toast may appear again after a reload.
  }
}
