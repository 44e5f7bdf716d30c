// The panel in ComfyUI's settings dialog. Every value lives behind the pack's own routes; nothing is
// kept in ComfyUI's user settings, and of a secret the browser knows only whether it is set.
import { call } from "./api.js";
import { button, make, tell } from "./dom.js";
import { serviceRow, settingRow } from "./settings_rows.js";
import { language, loadWords, word } from "./words.js";

const ADDRESS = "DEEPSPACE_BASE_URL";
const WAY = "SEEDREAM_UPLOAD";
const SECTIONS = [
  ["service", [ADDRESS, "DEEPSPACE_API_KEY"]],
  ["references", [WAY, ...fieldsOf("S3"), ...fieldsOf("EVOLINK"), ...fieldsOf("HTTP"), "SEEDREAM_VERIFY_UPLOADS"]],
  ["results", ["SEEDREAM_REUSE", "SEEDREAM_PARTIAL"]],
  ["record", ["SEEDREAM_STORE_PROMPTS", "SEEDREAM_STORE_GB"]],
  ["network", ["SEEDREAM_MAX_SUBMITS", "SEEDREAM_MAX_DOWNLOADS", "SEEDREAM_TIMEOUT_S", "SEEDREAM_ALLOW_HOSTS", "SEEDREAM_PROXY"]],
  ["models", ["SEEDREAM_MODELS"]],
];

function fieldsOf(way) {
  const fields = {
    S3: ["ENDPOINT", "BUCKET", "REGION", "PREFIX", "PUBLIC_URL", "LIFE_S"],
    EVOLINK: ["KEY"],
    HTTP: ["URL", "FIELD", "HEADERS", "FIELDS", "RESULT"],
  };
  return fields[way].map((field) => `SEEDREAM_UPLOAD_${way}_${field}`);
}

/** ComfyUI's render function of a setting: gives the element at once, and fills it. */
export function settingsPanel() {
  const panel = make("div", { class: "seedream-settings", id: "seedream-settings" });
  fill(panel);
  return panel;
}

async function fill(panel) {
  try {
    await loadWords();
    new Panel(panel, await call("/settings"));
  } catch (error) {
    panel.append(make("p", { class: "seedream-closed", role: "note", text: error.message }));
  }
}

class Panel {
  constructor(root, listing) {
    this.rows = new Map();
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true });
    this.proxy = make("span", { class: "seedream-value", id: "seedream-proxy" });
    this.home = make("code", { class: "seedream-home" });
    this.wayHint = make("p", { class: "seedream-help", id: "seedream-way-hint" });
    root.append(this.problem, ...SECTIONS.map(([id, names]) => this.section(id, names, listing)));
    this.show(listing);
  }

  section(id, names, listing) {
    const settings = new Map(listing.settings.map((setting) => [setting.name, setting]));
    const heading = make("h3", { id: `seedream-section-${id}`, text: word(`sections.${id}`) });
    const section = make("section", { class: "seedream-section", "aria-labelledby": heading.id }, heading);
    for (const name of names) {
      const row = name === ADDRESS ? serviceRow(settings.get(name), this.save) : settingRow(settings.get(name), this.save);
      this.rows.set(name, row);
      section.append(row.element);
      if (name === WAY) section.append(this.wayHint);
    }
    section.append(...(this.extras[id]?.call(this) ?? []));
    return section;
  }

  extras = {
    service() {
      return [checker("seedream-check", "check", () => call("/doctor", {}), checkList)];
    },
    references() {
      return [checker("seedream-test-upload", "test", () => call("/uploads/test", {}), uploadResult)];
    },
    network() {
      const label = make("span", { class: "seedream-label", text: word("settings.proxy_used.label") });
      const help = make("p", { class: "seedream-help", text: word("settings.proxy_used.help") });
      return [make("div", { class: "seedream-setting" }, make("div", {}, label, help), this.proxy)];
    },
    record() {
      return [make("p", { class: "seedream-help" }, `${word("settings.home")} `, this.home)];
    },
  };

  save = async (changes) => {
    this.show(await call("/settings", changes));
    window.dispatchEvent(new Event("seedream-settings"));
  };

  show(listing) {
    tell(this.problem, listing.error?.[language()]);
    for (const setting of listing.settings) this.rows.get(setting.name)?.show(setting);
    this.home.textContent = listing.home;
    this.proxy.textContent = listing.proxy ?? word("settings.proxy_used.none");
    this.showWay(new Map(listing.settings.map((setting) => [setting.name, setting])));
  }

  /** Of the ways of references, only the chosen one shows its fields. */
  showWay(settings) {
    const way = settings.get(WAY).value;
    for (const one of ["S3", "EVOLINK", "HTTP"]) {
      for (const name of fieldsOf(one)) this.rows.get(name).element.hidden = way !== one.toLowerCase();
    }
    const needs = { S3: "BUCKET", EVOLINK: "KEY", HTTP: "URL" };
    const ready = Object.keys(needs).filter((one) => settings.get(`SEEDREAM_UPLOAD_${one}_${needs[one]}`).is_set);
    const names = ready.map((one) => word(`choices.${WAY}.${one.toLowerCase()}`)).join(", ");
    const auto = settings.get(ADDRESS).value === "sandbox" ? "sandbox" : ready.length ? "ready" : "none";
    tell(this.wayHint, way === "auto" ? word(`ways.auto_${auto}`, { names }) : word(`ways.${way}`));
  }
}

/** A button that asks the server, and a place for what it says. */
function checker(id, key, ask, show) {
  const place = make("div", { class: "seedream-findings", id: `${id}-findings`, "aria-live": "polite" });
  const start = button(word(`${key}.button`), async () => {
    start.disabled = true;
    place.replaceChildren(make("p", { class: "seedream-help", text: word(`${key}.running`) }));
    try {
      place.replaceChildren(...show(await ask()));
    } catch (error) {
      place.replaceChildren(finding("problem", "", error.message));
    } finally {
      start.disabled = false;
    }
  }, { id });
  return make("div", { class: "seedream-checker" }, start, place);
}

function checkList(answer) {
  const checks = answer.checks.filter((check) => !/^[A-Z0-9_]+$/.test(check.name));
  const items = checks.map((check) => finding(check.verdict, word(`checks.${check.name}`), check.message[language()], "li"));
  return [make("ul", { class: "seedream-checks" }, ...items)];
}

function uploadResult(answer) {
  if (answer.way === null) return [finding("note", "", word("test.none"))];
  return [finding("ok", "", word("test.ok", { way: answer.way }))];
}

function finding(verdict, name, message, tag = "p") {
  const mark = make("span", { class: `seedream-verdict seedream-${verdict}`, text: word(`verdicts.${verdict}`) });
  const title = name ? make("strong", { text: name }) : null;
  return make(tag, { class: "seedream-finding" }, mark, make("span", {}, title, name ? " " : "", message));
}
