// The panel in ComfyUI's settings dialog. The pack's own routes read and save every value; nothing is
// kept in ComfyUI's user settings, and of a secret the browser knows only whether it is set.
import { call, saveSettings } from "./api.js";
import { make, setText } from "./dom.js";
import { makeChecker, renderChecks, renderFinding } from "./findings.js";
import { getLanguage, loadTranslations, translate } from "./i18n.js";
import { makeModelEditor } from "./model_editor.js";
import { makePriceTable } from "./price_table.js";
import { makeProfiles } from "./profiles.js";
import { makeServiceRow, makeSettingRow } from "./settings_rows.js";
import { makeUsageView } from "./usage_view.js";

const ADDRESS = "DEEPSPACE_BASE_URL";
const UPLOAD = "SEEDREAM_UPLOAD";
const SECTIONS = [
  ["service", [ADDRESS, "DEEPSPACE_API_KEY"]],
  ["profiles", []],
  ["costs", ["SEEDREAM_LIMIT_RUN", "SEEDREAM_LIMIT_DAY", "SEEDREAM_LIMIT_MONTH"]],
  ["usage", []],
  ["references", [UPLOAD, ...uploadFields("S3"), ...uploadFields("EVOLINK"), ...uploadFields("HTTP"), "SEEDREAM_VERIFY_UPLOADS"]],
  ["results", ["SEEDREAM_REUSE", "SEEDREAM_PARTIAL"]],
  ["record", ["SEEDREAM_RECOVER", "SEEDREAM_STORE_PROMPTS", "SEEDREAM_KEEP_REFERENCES", "SEEDREAM_RECEIPTS", "SEEDREAM_STORE_GB", "SEEDREAM_LEDGER", "SEEDREAM_STORE"]],
  ["network", ["SEEDREAM_MAX_SUBMITS", "SEEDREAM_MAX_DOWNLOADS", "SEEDREAM_TIMEOUT_S", "SEEDREAM_ALLOW_HOSTS", "SEEDREAM_PROXY"]],
  ["models", ["SEEDREAM_MODELS", "SEEDREAM_PRICES"]],
];

function uploadFields(target) {
  const fields = {
    S3: ["ENDPOINT", "BUCKET", "REGION", "PREFIX", "PUBLIC_URL", "LIFE_S"],
    EVOLINK: ["KEY"],
    HTTP: ["URL", "FIELD", "HEADERS", "FIELDS", "RESULT"],
  };
  return fields[target].map((field) => `SEEDREAM_UPLOAD_${target}_${field}`);
}

/** Renders the setting for ComfyUI: returns the element immediately and fills it later. */
export function renderSettingsPanel() {
  const panel = make("div", { class: "seedream-settings", id: "seedream-settings" });
  fill(panel);
  return panel;
}

async function fill(panel) {
  try {
    await loadTranslations();
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
    this.uploadHint = make("p", { class: "seedream-help", id: "seedream-upload-hint" });
    root.append(this.problem, ...SECTIONS.map(([id, names]) => this.makeSection(id, names, listing)));
    this.show(listing);
  }

  makeSection(id, names, listing) {
    const settings = new Map(listing.settings.map((setting) => [setting.name, setting]));
    const heading = make("h3", { id: `seedream-section-${id}`, text: translate(`sections.${id}`) });
    const section = make("section", { class: "seedream-section", "aria-labelledby": heading.id }, heading);
    for (const name of names) {
      const row = name === ADDRESS ? makeServiceRow(settings.get(name), this.save) : makeSettingRow(settings.get(name), this.save);
      this.rows.set(name, row);
      section.append(row.element);
      if (name === UPLOAD) section.append(this.uploadHint);
    }
    section.append(...(this.extras[id]?.call(this) ?? []));
    return section;
  }

  extras = {
    service() {
      return [makeChecker("seedream-check", "check", () => call("/doctor", {}), renderChecks)];
    },
    profiles() {
      return [makeProfiles()];
    },
    costs() {
      return [makePriceTable()];
    },
    usage() {
      return [makeUsageView().element];
    },
    references() {
      return [makeChecker("seedream-test-upload", "test", () => call("/uploads/test", {}), renderUploadTest)];
    },
    network() {
      const label = make("span", { class: "seedream-label", text: translate("settings.proxy_used.label") });
      const help = make("p", { class: "seedream-help", text: translate("settings.proxy_used.help") });
      return [make("div", { class: "seedream-setting" }, make("div", {}, label, help), this.proxy)];
    },
    models() {
      return [makeModelEditor()];
    },
    record() {
      return [make("p", { class: "seedream-help" }, `${translate("settings.home")} `, this.home)];
    },
  };

  save = async (changes) => {
    this.show(await saveSettings("/settings", changes));
  };

  show(listing) {
    setText(this.problem, listing.error?.[getLanguage()]);
    for (const setting of listing.settings) this.rows.get(setting.name)?.show(setting);
    this.home.textContent = listing.home;
    this.proxy.textContent = listing.proxy ?? translate("settings.proxy_used.none");
    this.showUploadTarget(new Map(listing.settings.map((setting) => [setting.name, setting])));
  }

  /** Shows the fields of the chosen upload target only. */
  showUploadTarget(settings) {
    const target = settings.get(UPLOAD).value;
    for (const one of ["S3", "EVOLINK", "HTTP"]) {
      for (const name of uploadFields(one)) this.rows.get(name).element.hidden = target !== one.toLowerCase();
    }
    const needs = { S3: "BUCKET", EVOLINK: "KEY", HTTP: "URL" };
    const ready = Object.keys(needs).filter((one) => settings.get(`SEEDREAM_UPLOAD_${one}_${needs[one]}`).is_set);
    const names = ready.map((one) => translate(`choices.${UPLOAD}.${one.toLowerCase()}`)).join(", ");
    const auto = settings.get(ADDRESS).value === "sandbox" ? "sandbox" : ready.length ? "ready" : "none";
    setText(this.uploadHint, target === "auto" ? translate(`upload_targets.auto_${auto}`, { names }) : translate(`upload_targets.${target}`));
  }
}

function renderUploadTest(response) {
  if (response.way === null) return [renderFinding("note", "", translate("test.none"))];
  return [renderFinding("ok", "", translate("test.ok", { target: response.way }))];
}
