// A bar chart of the images per day, drawn as SVG.
import { make } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";
import { describeImages } from "./usage_texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 130;
const TOP = 16;
const BOTTOM = 18;

/** Draws the last `count` days. The charged part of a bar is solid; above it is what may be charged. */
export function renderUsageChart(usage, count) {
  const days = collectDays(usage, count);
  const highest = Math.max(1, ...days.map((day) => day.charged + day.possible));
  const title = translate("usage.chart", { days: count });
  const chart = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "seedream-chart", role: "img", "aria-label": title });
  const step = WIDTH / count;
  const scale = (HEIGHT - TOP - BOTTOM) / highest;
  const base = HEIGHT - BOTTOM;
  chart.append(
    draw("line", { x1: 0, x2: WIDTH, y1: base, y2: base, class: "seedream-axis" }),
    label(0, TOP - 5, translate("usage.images", { count: highest }), "start"),
  );
  days.forEach((day, index) => {
    const bars = [["charged", day.charged, 0], ["possible", day.possible, day.charged]];
    const group = draw("g", {}, ...bars.filter(([, images]) => images > 0).map(([kind, images, below]) => draw("rect", {
      class: `seedream-bar seedream-bar-${kind}`,
      x: index * step + step * 0.15,
      width: step * 0.7,
      y: base - (below + images) * scale,
      height: images * scale,
      rx: 1.5,
    })));
    group.prepend(draw("title", {}, describeDay(day)), draw("rect", { x: index * step, y: TOP, width: step, height: base - TOP, fill: "transparent" }));
    chart.append(group);
  });
  chart.append(
    label(0, HEIGHT - 4, formatDay(days[0].key), "start"),
    label(WIDTH, HEIGHT - 4, formatDay(days.at(-1).key), "end"),
  );
  return make("figure", { class: "seedream-figure" }, make("figcaption", { class: "seedream-help", text: title }), chart);
}

/** Collects every day, also those without a request; a day has one line per currency. */
function collectDays(usage, count) {
  const [year, month, day] = usage.since.split("-").map(Number);
  return Array.from({ length: count }, (_, index) => {
    const date = new Date(Date.UTC(year, month - 1, day + index));
    const key = date.toISOString().slice(0, 10);
    const lines = usage.lines.filter((line) => line.day === key);
    const sum = (name) => lines.reduce((total, line) => total + line[name], 0);
    const costs = lines.filter((line) => line.cost !== null).map((line) => `${line.cost} ${line.currency}`);
    return { key, charged: sum("images_charged"), possible: sum("images_possibly_charged"), costs };
  });
}

function describeDay(day) {
  return [formatDay(day.key), describeImages(day.charged, day.possible), ...day.costs].join(" · ");
}

function formatDay(key) {
  const options = { day: "numeric", month: "short", timeZone: "UTC" };
  return new Date(`${key}T00:00:00Z`).toLocaleDateString(getLanguage() === "zh" ? "zh-CN" : "en", options);
}

function label(x, y, text, anchor) {
  return draw("text", { x, y, "text-anchor": anchor, class: "seedream-chart-label" }, text);
}

function draw(tag, properties, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
