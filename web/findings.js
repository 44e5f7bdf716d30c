// Findings of a check: a button that asks the server, and a place for what it found.
import { make, makeButton } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";

/** Makes a button that asks the server, and a place for the findings. */
export function makeChecker(id, key, ask, show) {
  const place = make("div", { class: "seedream-findings", id: `${id}-findings`, "aria-live": "polite" });
  const start = makeButton(translate(`${key}.button`), async () => {
    start.disabled = true;
    place.replaceChildren(make("p", { class: "seedream-help", text: translate(`${key}.running`) }));
    try {
      place.replaceChildren(...show(await ask()));
    } catch (error) {
      place.replaceChildren(renderFinding("problem", "", error.message));
    } finally {
      start.disabled = false;
    }
  }, { id });
  return make("div", { class: "seedream-checker" }, start, place);
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
