// What the panel says about a task: its group, state, cost, age and facts.
import { getLanguage, translate } from "./i18n.js";
import { describeMost, formatMoney } from "./money.js";

const RUNNING = new Set(["intended", "sending", "accepted", "answered"]);
const UNCLEAR = new Set(["unknown", "empty"]);
const TONES = { running: "running", attention: "unclear", done: "good", failed: "bad" };
const formats = {};
const FIELDS = ["size", "quality", "n", "prompt_priority", "output_format"];
const USUAL = new Set([undefined, null, 1, "standard"]);

export function isUnclear(task) {
  return task.group === "attention" && (UNCLEAR.has(task.state) || RUNNING.has(task.state));
}

/** Returns how a task is coloured: good, bad, running, unclear, or plain. */
export function getTone(task) {
  return task.state === "withdrawn" ? "plain" : TONES[task.group] ?? "plain";
}

export function describePrompt(task) {
  return task.prompt ?? translate(task.family ? "tasks.no_prompt" : "tasks.collected");
}

export function describeState(task) {
  if (!RUNNING.has(task.state)) return translate(`states.${task.state}`);
  if (!task.is_live) return translate(`left.${task.state}`);
  return translate(task.progress ? `phases.${task.progress.phase}` : `states.${task.state}`);
}

export function describeCharge(task) {
  if (task.is_free) return translate("charges.free");
  return translate(`charges.${task.charge}`, { made: task.made });
}

/** Returns the charge with its amount, or with the most that it may be; nothing for an unknown price. */
function describeCost(task) {
  const { charged, estimated, currency } = task.is_free ? {} : task.cost ?? {};
  if (!currency || task.charge === "none") return describeCharge(task);
  const amount = charged === null ? describeMost({ estimated, currency }) : formatMoney(charged, currency);
  return `${describeCharge(task)} · ${amount}`;
}

export function getError(task) {
  return task.error?.[getLanguage()];
}

/** Returns what to do about a task that needs a person; undefined for others. */
export function describeAdvice(task) {
  return isUnclear(task) ? translate(`unclear.${task.state}`) : getError(task)?.advice;
}

/** Returns "3 min. ago" in the language of the page. */
export function formatAge(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86_400, 3600, "hour"], [Infinity, 86_400, "day"]];
  const [, size, unit] = steps.find(([limit]) => past < limit);
  return getFormat(getLanguage()).format(-Math.floor(past / size), unit);
}

/** Returns the format of ages; making one takes as long as drawing a row. */
function getFormat(language) {
  formats[language] ??= new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
  return formats[language];
}

export function formatTime(seconds) {
  return new Date(seconds * 1000).toLocaleString(getLanguage() === "zh" ? "zh-CN" : undefined);
}

function formatField(name, value) {
  if (USUAL.has(value)) return null;
  return name === "n" ? `×${value}` : String(value);
}

/** Returns the facts of a task as pairs of a name in `details` and a text. */
export function listFacts(task, whole) {
  const fields = FIELDS.map((name) => formatField(name, whole?.fields?.[name])).filter(Boolean);
  const facts = [
    ["cost", describeCost(task)],
    ["profile", task.profile],
    ["images", task.made === task.asked ? null : translate("details.image_count", { made: task.made, asked: task.asked })],
    ["model", task.model],
    ["settings", fields.join(" · ")],
    ["seed", whole?.seed || null],
    ["references", task.references || null],
    ["created", formatTime(task.created_at)],
    ["task_id", task.task_id],
  ];
  return facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
}
