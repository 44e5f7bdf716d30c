// A round of recovery that a person asks for.
import { call } from "./api.js";
import { translate } from "./i18n.js";

/** Fetches every unfinished task now; `report(text, severity)` shows what came, or the error. */
export async function collectAll(report) {
  try {
    const { images, running, failed } = await call("/recovery", {});
    const left = running.length + Object.keys(failed).length;
    const done = translate(left ? "recovery.collected_some" : "recovery.collected", { images, left });
    report(images || left ? done : translate("recovery.nothing"), "info");
  } catch (error) {
    report(error.message, "error");
  }
}
