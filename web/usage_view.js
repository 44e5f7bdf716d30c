// Usage in the settings panel: sums of today and of this month, per profile, a chart of the last days,
// and the same lines as CSV. Amounts stay texts, so that they equal those of the command `usage`.
import { call } from "./api.js";
import { make, makeButton, setText } from "./dom.js";
import { renderFinding } from "./findings.js";
import { getLanguage, translate } from "./i18n.js";
import { formatMoney } from "./money.js";
import { downloadText } from "./price_table.js";
import { formatAge } from "./task_texts.js";
import { renderUsageChart } from "./usage_chart.js";
import { describeImages } from "./usage_texts.js";

const COLUMNS = ["day", "requests", "images_charged", "images_possibly_charged", "cost", "cost_possible", "currency"];

/** Makes the view; `refresh()` of it reads the numbers again. */
export function makeUsageView() {
  const view = new UsageView();
  view.refresh();
  return view;
}

class UsageView {
  constructor() {
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true });
    this.body = make("div", { id: "seedream-usage" });
    this.csv = makeButton(translate("usage.csv"), () => this.download(), { id: "seedream-usage-csv", disabled: true });
    const refresh = makeButton(translate("tasks.refresh"), () => this.refresh());
    this.element = make("div", {}, this.problem, this.body, make("div", { class: "seedream-buttons" }, this.csv, refresh));
  }

  refresh = async () => {
    try {
      this.usage = await call("/usage");
      setText(this.problem, "");
      this.show();
    } catch (error) {
      setText(this.problem, error.message);
    }
  };

  show() {
    const { today, month, days, shown_days, sandbox, balances } = this.usage;
    this.csv.disabled = days.lines.length === 0;
    const sums = make("dl", { class: "seedream-sums" },
      ...makeSum(translate("usage.today"), today.total),
      ...makeSum(translate("usage.month"), month.total),
      ...makeSum(translate("usage.days", { days: shown_days }), days.total),
    );
    this.body.replaceChildren(
      ...(sandbox ? [make("p", { class: "seedream-help", text: translate("usage.sandbox") })] : []),
      sums,
      ...balances.flatMap(renderBalance),
      ...makeProfileLines(month.lines),
      renderUsageChart(days, shown_days),
    );
  }

  download() {
    const { lines } = this.usage.days;
    const rows = [COLUMNS, ...lines.map((line) => COLUMNS.map((name) => line[name] ?? ""))];
    downloadText(rows.map((row) => `${row.join(",")}\n`).join(""), "seedream-usage.csv", "text/csv");
  }
}

function makeSum(label, total) {
  return [make("dt", { text: label }), make("dd", {}, ...describeTotal(total).map((text) => make("span", { text })))];
}

/** Renders what was left for a key after its last run, and a difference from the recorded costs. */
function renderBalance({ profile, at, left, difference }) {
  const name = translate("usage.balance", { profile: profile || translate("usage.default_profile"), age: formatAge(at) });
  const language = getLanguage();
  const found = [renderFinding("ok", name, left[language])];
  if (difference) found.push(renderFinding("note", "", difference[language]));
  return found;
}

/** Describes a total: images, money by currency, and how much of it has a known price. */
function describeTotal(total) {
  const parts = [describeImages(total.images_charged, total.images_possibly_charged)];
  for (const [currency, cost] of Object.entries(total.costs)) {
    parts.push(formatMoney(cost.charged, currency));
    if (Number(cost.possible) > 0) parts.push(translate("usage.money_possible", { money: formatMoney(cost.possible, currency) }));
  }
  const { images, priced, percent } = total.coverage;
  if (images > 0 && priced < images) parts.push(translate("usage.coverage", { percent: percent ?? "0" }));
  return parts;
}

/** Makes a table of this month per profile, unless only the default profile was used. */
function makeProfileLines(lines) {
  if (lines.every((line) => line.profile === "")) return [];
  const head = ["profile", "images_head", "cost_head"].map((key) => make("th", { scope: "col", text: translate(`usage.${key}`) }));
  const names = [...new Set(lines.map((line) => line.profile))];
  const rows = names.map((name) => {
    const own = lines.filter((line) => line.profile === name);
    const sum = (key) => own.reduce((total, line) => total + line[key], 0);
    return make("tr", {},
      make("th", { scope: "row", text: name || translate("usage.default_profile") }),
      make("td", { text: describeImages(sum("images_charged"), sum("images_possibly_charged")) }),
      make("td", { text: own.map(describeLineCost).filter(Boolean).join(" · ") }),
    );
  });
  return [make("table", { class: "seedream-profile-sums" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))];
}

/** Describes what a line costs; a line without images has nothing to say. */
function describeLineCost(line) {
  if (line.cost !== null) return formatMoney(line.cost, line.currency);
  const images = line.images_charged + line.images_possibly_charged;
  return images ? translate("usage.unknown", { images }) : "";
}
