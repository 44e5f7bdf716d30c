// One task in the list: picture, prompt, where it stands, and what it cost.
import { imageAddress } from "./api.js";
import { make } from "./dom.js";
import { language, word } from "./words.js";

const RUNNING = new Set(["intended", "sending", "accepted", "answered"]);
const UNCLEAR = new Set(["unknown", "empty"]);

/** The element of a task; of one that is not fetched yet, an empty place of the same size. */
export function taskRow(task) {
  if (task === undefined) return make("div", { class: "seedream-task seedream-empty", role: "option", "aria-label": "…" });
  return make("div", {
    id: `seedream-task-${task.id}`,
    class: "seedream-task",
    role: "option",
    "data-id": task.id,
    "data-state": task.state,
    "data-look": look(task),
  },
    picture(task),
    make("div", { class: "seedream-body" },
      make("div", { class: "seedream-prompt", text: promptOf(task) }),
      make("div", { class: "seedream-meta", text: [task.model, age(task.created_at)].filter(Boolean).join(" · ") }),
      standing(task),
    ),
  );
}

/** Fetches the picture of a row that stays in sight. */
export function dress(row) {
  const image = row.querySelector("img[data-src]");
  if (!image) return;
  image.src = image.dataset.src;
  image.removeAttribute("data-src");
}

export function promptOf(task) {
  return task.prompt ?? word(task.family ? "tasks.no_prompt" : "tasks.collected");
}

/** How a task is coloured: good, bad, running, unclear, or plain. */
export function look(task) {
  if (UNCLEAR.has(task.state)) return "unclear";
  if (RUNNING.has(task.state)) return task.is_live ? "running" : "unclear";
  if (["refused", "failed"].includes(task.state)) return "bad";
  return ["completed", "partial"].includes(task.state) ? "good" : "plain";
}

export function stateOf(task) {
  if (!RUNNING.has(task.state)) return word(`states.${task.state}`);
  if (!task.is_live) return `${word(`states.${task.state}`)} · ${word("states.waiting")}`;
  return word(task.progress ? `phases.${task.progress.phase}` : `states.${task.state}`);
}

export function chargeOf(task) {
  if (task.is_free) return word("charges.free");
  return word(`charges.${task.charge}`, { made: task.made });
}

export function errorOf(task) {
  return task.error?.[language()];
}

/** "3 min. ago", in the language of the page. */
export function age(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86_400, 3600, "hour"], [Infinity, 86_400, "day"]];
  const [, size, unit] = steps.find(([limit]) => past < limit);
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto", style: "short" });
  return words.format(-Math.floor(past / size), unit);
}

function picture(task) {
  const [first] = task.stored;
  const many = task.stored.length > 1 ? make("span", { class: "seedream-many", text: task.stored.length }) : null;
  const image = first === undefined ? null : make("img", { alt: "", decoding: "async", "data-src": imageAddress(task, first, true) });
  return make("div", { class: "seedream-thumb" }, image, many);
}

function standing(task) {
  const line = make("div", { class: "seedream-standing" });
  line.append(make("span", { class: "seedream-badge", text: stateOf(task) }));
  const { percent, done, total } = task.progress ?? {};
  if (task.is_live && percent !== null && percent !== undefined) {
    line.append(make("progress", { max: 100, value: percent, "aria-label": stateOf(task) }), `${Math.round(percent)} %`);
  } else if (task.is_live && total) line.append(`${done}/${total}`);
  const error = look(task) === "unclear" ? null : errorOf(task);
  line.append(make("span", { class: "seedream-cost", text: error?.happened ?? chargeOf(task) }));
  return line;
}
