// One task in the list: thumbnail, prompt, state, and cost.
import { imageUrl } from "./api.js";
import { make } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";

const RUNNING = new Set(["intended", "sending", "accepted", "answered"]);
const UNCLEAR = new Set(["unknown", "empty"]);

/** Renders a task; one that is not loaded yet is an empty row of the same size. */
export function renderTaskRow(task) {
  if (task === undefined) return make("div", { class: "seedream-task seedream-empty", role: "option", "aria-label": "…" });
  return make("div", {
    id: `seedream-task-${task.id}`,
    class: "seedream-task",
    role: "option",
    "data-id": task.id,
    "data-state": task.state,
    "data-tone": getTone(task),
  },
    renderThumbnail(task),
    make("div", { class: "seedream-body" },
      make("div", { class: "seedream-prompt", text: describePrompt(task) }),
      make("div", { class: "seedream-meta", text: [task.model, formatAge(task.created_at)].filter(Boolean).join(" · ") }),
      renderStatus(task),
    ),
  );
}

/** Loads the thumbnail of a row that stays visible. */
export function loadThumbnail(row) {
  const image = row.querySelector("img[data-src]");
  if (!image) return;
  image.src = image.dataset.src;
  image.removeAttribute("data-src");
}

export function describePrompt(task) {
  return task.prompt ?? translate(task.family ? "tasks.no_prompt" : "tasks.collected");
}

/** Returns how a task is coloured: good, bad, running, unclear, or plain. */
export function getTone(task) {
  if (UNCLEAR.has(task.state)) return "unclear";
  if (RUNNING.has(task.state)) return task.is_live ? "running" : "unclear";
  if (["refused", "failed"].includes(task.state)) return "bad";
  return ["completed", "partial"].includes(task.state) ? "good" : "plain";
}

export function describeState(task) {
  if (!RUNNING.has(task.state)) return translate(`states.${task.state}`);
  if (!task.is_live) return `${translate(`states.${task.state}`)} · ${translate("states.waiting")}`;
  return translate(task.progress ? `phases.${task.progress.phase}` : `states.${task.state}`);
}

export function describeCharge(task) {
  if (task.is_free) return translate("charges.free");
  return translate(`charges.${task.charge}`, { made: task.made });
}

export function getError(task) {
  return task.error?.[getLanguage()];
}

/** Returns "3 min. ago" in the language of the page. */
export function formatAge(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86_400, 3600, "hour"], [Infinity, 86_400, "day"]];
  const [, size, unit] = steps.find(([limit]) => past < limit);
  const words = new Intl.RelativeTimeFormat(getLanguage(), { numeric: "auto", style: "short" });
  return words.format(-Math.floor(past / size), unit);
}

function renderThumbnail(task) {
  const [first] = task.stored;
  const many = task.stored.length > 1 ? make("span", { class: "seedream-many", text: task.stored.length }) : null;
  const image = first === undefined ? null : make("img", { alt: "", decoding: "async", "data-src": imageUrl(task, first, true) });
  return make("div", { class: "seedream-thumb" }, image, many);
}

function renderStatus(task) {
  const line = make("div", { class: "seedream-standing" });
  line.append(make("span", { class: "seedream-badge", text: describeState(task) }));
  const { percent, done, total } = task.progress ?? {};
  if (task.is_live && percent !== null && percent !== undefined) {
    line.append(make("progress", { max: 100, value: percent, "aria-label": describeState(task) }), `${Math.round(percent)} %`);
  } else if (task.is_live && total) line.append(`${done}/${total}`);
  const error = getTone(task) === "unclear" ? null : getError(task);
  line.append(make("span", { class: "seedream-cost", text: error?.happened ?? describeCharge(task) }));
  return line;
}
