// A round of recovery that a person asks for.
import { call } from "./api.js";
import { translate } from "./i18n.js";

/** Fetches every unfinished task now; `report(text)` shows what came. */
export async function collectAll(report) {
  report(translate("recovery.collecting"));
  try {
    const { images, running, failed } = await call("/recovery", {});
    const left = running.length + Object.keys(failed).length;
    const done = translate(left ? "recovery.collected_some" : "recovery.collected", { images, left });
    report(images || left ? done : translate("recovery.nothing"));
  } catch (error) {
    report(error.message);
  }
}
