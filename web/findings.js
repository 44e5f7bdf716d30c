// Findings of a check: a button that asks the server, and a place for what it found.
import { make, makeButton } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";

/** Makes a button that asks the server, and a place for the findings. */
export function makeChecker(id, key, ask, show) {
  const place = make("div", { class: "seedream-findings", id: `${id}-findings`, "aria-live": "polite" });
  const start = makeButton(translate(`${key}.button`), async () => {
    start.disabled = true;
    await showFindings(place, translate(`${key}.running`), ask, show);
    start.disabled = false;
  }, { id });
  return make("div", { class: "seedream-checker" }, start, place);
}

const latest = new WeakMap(); // the controller of a place's latest check

/** Shows what the server finds, until a setting, a price or a profile is saved: then it may differ. */
export async function showFindings(place, running, ask, show) {
  latest.get(place)?.abort();
  const controller = new AbortController();
  const { signal } = controller;
  latest.set(place, controller);
  window.addEventListener("seedream-settings", () => {
    controller.abort();
    place.replaceChildren();
  }, { signal });
  const put = (...parts) => {
    if (!signal.aborted) place.replaceChildren(...parts);
  };
  put(make("p", { class: "seedream-help", text: running }));
  try {
    put(...show(await ask()));
  } catch (error) {
    put(renderFinding("problem", "", error.message));
  }
}

export function renderChecks(response) {
  const checks = response.checks.filter((check) => !/^[A-Z0-9_]+$/.test(check.name));
  const items = checks.map((check) => renderFinding(check.verdict, translate(`checks.${check.name}`), check.message[getLanguage()], "li"));
  return [make("ul", { class: "seedream-checks" }, ...items)];
}

export function renderFinding(verdict, name, message, tag = "p") {
  const mark = make("span", { class: `seedream-verdict seedream-${verdict}`, text: translate(`verdicts.${verdict}`) });
  const title = name ? make("strong", { text: name }) : null;
  return make(tag, { class: "seedream-finding" }, mark, make("span", {}, title, name ? " " : "", message));
}
