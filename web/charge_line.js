// What the lines on a node say: about its run, and about what the next run may charge.
import { getLanguage, translate, translateCount } from "./i18n.js";
import { describeMost, describeSum, hasEstimate } from "./money.js";

const SEPARATOR = " · ";

/** Describes what `/quote` found: a text, its tone, and the key of an error. */
export function describeQuote({ images, linked, state, sandbox, cost, limit, error, notes, type, key }) {
  if (limit) return { text: limit[getLanguage()], tone: "error", actions: ["settings"], badge: translate("badge.limit") };
  if (error) return { text: error[getLanguage()], tone: "error", actions: chooseActions(type, key) };
  const said = (notes?.[getLanguage()] ?? []).map((note) => SEPARATOR + note).join("");
  if (images && sandbox) return { text: translateCount("line.free", images) + said, tone: "free", badge: translate("badge.sandbox") };
  if (images) {
    const most = describeMost(cost, linked);
    const text = translateCount(linked ? "line.new_linked" : "line.new", images);
    const badge = hasEstimate(cost) ? most : translateCount(linked ? "badge.images_linked" : "badge.images", images);
    return { text: text + SEPARATOR + most + said, tone: "new", badge };
  }
  if (["completed", "partial"].includes(state)) {
    return { text: translate("line.stored"), tone: "free", badge: translate("badge.stored") };
  }
  return state === "unknown"
    ? { text: translate("line.unknown"), tone: "new" }
    : { text: translate("line.joined"), tone: "free" };
}

/** Chooses the buttons that help with an error. */
function chooseActions(type, key) {
  if (key === "no_key") return ["settings", "sandbox"];
  return ["ConfigurationError", "AuthenticationFailed"].includes(type) ? ["settings"] : [];
}

/** Describes a run: a text, its tone, what to do, and whether its seconds tick. */
export function describeRun(run) {
  const made = run.done.size ? describeResults([...run.done.values()]) : "";
  switch (run.kind) {
    case "progress":
      return { text: describeProgress(run), tone: "running", since: run.since };
    case "done":
      return { text: translate("line.last", { result: made }), tone: "done" };
    case "cached":
      return { text: translate("line.cached", { result: made }), tone: "done" };
    case "finished":
      return { text: translate("line.finished"), tone: "done" };
    case "failed":
      return { ...describeError(run.error, translate("line.failed"), made), tone: "failed" };
    case "cancelled":
    case "abandoned":
      return { ...describeError(run.error, translate(`line.${run.kind}`), made), tone: "cancelled" };
  }
  return { text: "" };
}

function describeError(error, otherwise, made) {
  const texts = error?.[getLanguage()];
  const text = texts?.reason ?? otherwise;
  const before = made && translate("line.before", { result: made });
  return {
    text,
    advice: [texts?.advice, before].filter(Boolean).join(" "),
    actions: chooseActions(error?.type, error?.key),
  };
}

/** Describes the latest step of each call that still runs; the seconds are added by the line. */
function describeProgress({ steps, calls, done }) {
  const running = [...steps.values()].at(-1);
  const words = [translate(`phases.${running.phase}`)];
  if (running.place) words.push(translate("line.place", { place: running.place }));
  if (running.phase === "waiting" && running.waits_for) {
    words.push(translate(running.elsewhere ? "line.waits_elsewhere" : "line.waits_here", { record: running.waits_for }));
  }
  if (typeof running.percent === "number") words.push(`${Math.round(running.percent)} %`);
  if (running.total) words.push(`${running.done}/${running.total}`);
  if (running.task_id) words.push(running.task_id);
  if (running.rows) words.unshift(translate("line.calls", { done: running.rows[0], calls: running.rows[1] }));
  if (calls > 1) words.unshift(translate("line.calls", { done: done.size, calls }));
  return words.join(SEPARATOR);
}

/** Describes the outcomes of all calls of a node as sums. */
function describeResults(results) {
  const sum = (name, of = results) => of.reduce((total, result) => total + (result[name] ?? 0), 0);
  const words = [];
  const { status, task_id } = results.at(-1);
  if (status === "uploaded") words.push(translate("line.uploaded", { new: sum("new"), reused: sum("reused") }));
  else if (status === "loaded") words.push(translate("line.loaded", { count: sum("images") }));
  else if (!sum("images")) words.push(translate(`line.${status}`), task_id ?? "");
  else words.push(countByOrigin(results, sum), describeCharge(results, sum));
  if (sum("failed")) words.push(translate("line.some_failed", { count: sum("failed") }));
  return words.filter(Boolean).join(SEPARATOR);
}

function countByOrigin(results, sum) {
  const origins = [...new Set(results.map((result) => result.origin))];
  const counts = origins.map((origin) => [origin, sum("images", results.filter((one) => one.origin === origin))]);
  return counts.filter(([, count]) => count).map(([origin, count]) => translate(`line.made_${origin}`, { count })).join(", ");
}

function describeCharge(results, sum) {
  const unclear = sum("unclear") ? [translate("line.unclear", { count: sum("unclear") })] : [];
  if (!sum("charged")) return unclear[0] ?? translate("line.not_charged");
  if (results.every((result) => result.free)) return translate("charges.free");
  const costs = results.filter((result) => result.charged).map((result) => result.cost);
  return [translate("line.charged", { count: sum("charged") }), describeSum(costs), ...unclear].join(SEPARATOR);
}
