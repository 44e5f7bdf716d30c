// The lines and pictures on a node of this pack: what its run does or did, and what the next may charge.
// The server sends facts, the page puts them into its language; nothing is saved in a workflow.
import { api } from "../../scripts/api.js";
import { notify, openSettings, useSandbox } from "./host_actions.js";
import { describeQuote, describeRun } from "./charge_line.js";
import { call, hasSeveralUsers, onTask } from "./api.js";
import { make, makeButton, setText } from "./dom.js";
import { loadTranslations, translate } from "./i18n.js";
import { collectInputs } from "./linked_inputs.js";
import { collectPictures, makePicture } from "./node_pictures.js";
import { StatusWidget } from "./node_widget.js";
import { findNode, isOfOpenWorkflow, rememberPrompts } from "./node_runs.js";
import { isOwn, isPaying } from "./own_nodes.js";

const TYPING_MS = 400;
const TICK_MS = 1000;
const ENDED = ["completed", "partial"];

const lines = new Map();

/** Adds the lines to a new node. ComfyUI calls it for each one. */
export function attachToNode(node) {
  if (isOwn(node) && node.addDOMWidget) lines.set(node, new NodeStatus(node));
}

/** Returns the status of a node of this pack, if it has one. */
export function statusOf(node) {
  return lines.get(node);
}

/** Follows the runs of all nodes, and what changes the estimates. */
export function followRuns() {
  rememberPrompts();
  api.addEventListener("seedream.node", ({ detail }) => {
    if (isOfOpenWorkflow(detail.prompt_id)) lines.get(findNode(detail.node))?.showEvent(detail);
  });
  api.addEventListener("executed", ({ detail }) => {
    if (isOfOpenWorkflow(detail.prompt_id)) lines.get(findNode(detail.display_node ?? detail.node))?.showOutput(detail.output?.seedream);
  });
  api.addEventListener("execution_cached", ({ detail }) => {
    if (isOfOpenWorkflow(detail.prompt_id)) detail.nodes.forEach((id) => lines.get(findNode(id))?.showCached());
  });
  for (const event of ["execution_success", "execution_error", "execution_interrupted"]) {
    api.addEventListener(event, ({ detail }) => lines.forEach((line) => line.endRun(detail?.prompt_id)));
  }
  const refreshAll = () => lines.forEach((line) => line.scheduleRefresh());
  onTask((task) => {
    lines.forEach((line) => line.noteTask(task));
    if ([...ENDED, "unknown", "forgotten"].includes(task.state)) refreshAll();
  });
  window.addEventListener("seedream-settings", refreshAll);
  setInterval(() => lines.forEach((line) => line.tick()), TICK_MS);
}

class NodeStatus {
  constructor(node) {
    Object.assign(this, { node, run: null, quote: null, turn: 0 });
    this.text = make("span", { role: "status" });
    this.seconds = make("span", { class: "seedream-seconds", "aria-hidden": "true" });
    this.state = make("div", { class: "seedream-last", hidden: true }, this.text, this.seconds);
    this.advice = make("div", { class: "seedream-advice", hidden: true });
    this.estimate = make("div", { class: "seedream-quote", hidden: true });
    this.buttons = make("div", { class: "seedream-buttons", hidden: true });
    this.pictures = make("div", { class: "seedream-pictures", hidden: true });
    this.body = make("div", { class: "seedream-body" }, this.state, this.advice, this.estimate, this.buttons, this.pictures);
    this.element = make("div", { class: "seedream-line", hidden: true }, this.body);
    this.room = new StatusWidget(node, this.element, this.body);
    this.widget = this.room.widget;
    this.watch();
    this.addBadge();
    this.scheduleRefresh();
  }

  watch() {
    const refresh = () => this.scheduleRefresh();
    for (const widget of this.node.widgets) {
      if (widget !== this.widget) widget.callback = callAfter(widget.callback, refresh);
    }
    this.node.onConnectionsChange = callAfter(this.node.onConnectionsChange, refresh);
    this.node.onConfigure = callAfter(this.node.onConfigure, refresh);
    this.node.onRemoved = callAfter(this.node.onRemoved, () => {
      clearTimeout(this.waiting);
      this.room.close();
      lines.delete(this.node);
    });
  }

  // --- the run ---------------------------------------------------------------------------------

  /** Takes what the server sends about one call of the node. */
  showEvent(event) {
    if (this.run?.id !== event.prompt_id) {
      this.run = { id: event.prompt_id, steps: new Map(), done: new Map(), calls: 1, pictures: [] };
      this.turn += 1; // a response that arrives now is of before the run
      this.quote = null;
      this.updateBadge();
    }
    const { run } = this;
    run.calls = event.calls ?? run.calls;
    if (event.kind === "progress") {
      run.steps.delete(event.call);
      run.steps.set(event.call, event);
      run.since ??= Date.now() - 1000 * event.seconds;
      if (event.pictures && !run.done.size) run.pictures = event.pictures;
    } else if (event.kind === "done") {
      run.steps.delete(event.call);
      run.done.set(event.call, event);
    } else {
      run.error = event.error;
    }
    const isEnd = !["progress", "done"].includes(event.kind);
    run.kind = isEnd ? event.kind : run.steps.size ? "progress" : "done";
    if (run.kind !== "progress") run.pictures = collectPictures(run);
    this.render();
  }

  /** ComfyUI's own cache serves this node: its last results stay, without another run. */
  showCached() {
    if (!this.run?.done.size) return;
    Object.assign(this.run, { id: null, kind: "cached" });
    this.render();
  }

  /** Takes what ComfyUI kept of a run, for a page that has not seen it. */
  showOutput(kept) {
    if (!kept?.length || this.isWatched) return;
    const results = kept.map((one) => JSON.parse(one));
    const done = new Map(results.map((result, call) => [call, result]));
    this.run = { id: null, kind: "cached", steps: new Map(), done, calls: done.size };
    this.run.pictures = collectPictures(this.run);
    this.render();
  }

  /** Whether this page has seen the run that ends now. */
  get isWatched() {
    return this.run !== null && this.run.id !== null && !this.run.isOver;
  }

  endRun(promptId) {
    this.scheduleRefresh();
    if (!this.run || this.run.id !== promptId) return;
    this.run.isOver = true;
    if (this.run.kind !== "progress") return;
    // It ended without a word from the node: another node failed, or the server is older.
    this.run.kind = this.run.done.size ? "done" : "none";
    this.run.pictures = collectPictures(this.run);
    this.render();
  }

  /** A task that was left running has finished since: the old sentence would no longer be true. */
  noteTask(task) {
    const task_id = this.run?.error?.task_id;
    if (this.isLeft && task_id && task.task_id === task_id && ENDED.includes(task.state)) this.finish();
  }

  get isLeft() {
    return this.run !== null && ["cancelled", "abandoned"].includes(this.run.kind);
  }

  finish() {
    this.run.kind = "finished";
    notify("success", translate("line.finished"));
    this.render();
  }

  // --- for menus and badges --------------------------------------------------------------------

  get isPaying() {
    return isPaying(this.node);
  }

  /** The id of the task that the last run made, collected or left running. */
  get taskId() {
    const facts = [this.run?.error, ...(this.run?.done.values() ?? []), ...(this.run?.steps.values() ?? [])];
    return facts.find((one) => one?.task_id)?.task_id.split(/\s/)[0] ?? "";
  }

  /** The beginning of the node's prompt. */
  get prompt() {
    const prompt = this.node.widgets.find(({ name }) => name === "prompt")?.value;
    return typeof prompt === "string" ? prompt.slice(0, 60) : "";
  }

  /**
   * Shows the estimate as a badge, which a collapsed node has too. Nodes 2.0 asks for the badge again
   * only when something that was read for it changes: the widget's label. Where that does not happen,
   * there is no badge, because it would keep an old text.
   */
  addBadge() {
    const Badge = globalThis.LGraphBadge;
    if (!Badge || !Array.isArray(this.node.badges) || !this.isPaying) return;
    let badge = new Badge({ text: "" });
    this.node.badges.push(() => {
      const isRead = this.widget.label !== undefined;
      this.hasLiveBadge ||= isRead && this.isRelabelled;
      const isElement = globalThis.LiteGraph?.vueNodesMode;
      const text = isElement && !this.hasLiveBadge ? "" : (this.quote?.badge ?? "");
      if (badge.text !== text) badge = new Badge({ text });
      return badge;
    });
  }

  /** Makes the badge follow the quote. */
  updateBadge() {
    this.isRelabelled = Boolean(globalThis.LiteGraph?.vueNodesMode);
    this.room.setLabel(this.quote?.badge);
    requestAnimationFrame(() => (this.isRelabelled = false));
    this.node.setDirtyCanvas?.(true); // the classic renderer draws it
  }

  // --- the estimate ----------------------------------------------------------------------------

  scheduleRefresh() {
    this.turn += 1;
    clearTimeout(this.waiting);
    if (this.isPaying) this.waiting = setTimeout(() => this.refresh(), TYPING_MS);
  }

  async refresh() {
    if (this.run?.kind === "progress") return; // no estimate is shown, and the end asks again
    const { turn } = this;
    const inputs = collectInputs(this.node, this.widget);
    let quote, state;
    try {
      await loadTranslations();
      if (await hasSeveralUsers()) return;
      const found = await call("/quote", { class_type: this.node.comfyClass, inputs });
      [quote, state] = [describeQuote(found), found.state];
    } catch (error) {
      quote = { text: error.message, tone: "error" };
    }
    if (this.turn !== turn) return; // something has changed since this was asked
    if (this.isLeft && ENDED.includes(state)) this.finish();
    this.quote = quote;
    this.updateBadge();
    this.render();
  }

  // --- the elements ----------------------------------------------------------------------------

  render() {
    const run = this.run ? describeRun(this.run) : { text: "" };
    this.state.dataset.tone = run.tone ?? "";
    this.state.hidden = !run.text;
    if (this.text.textContent !== run.text) this.text.textContent = run.text;
    this.since = run.since;
    this.tick();
    setText(this.advice, run.advice);
    // While the node runs, an estimate would promise another charge for the same request.
    const isRepeated = run.tone === "failed" && this.quote?.tone === "error";
    const quote = run.tone === "running" || isRepeated ? null : this.quote;
    setText(this.estimate, quote?.text);
    this.estimate.dataset.kind = run.tone === "failed" ? "quiet" : (quote?.tone ?? "");
    this.showButtons(run.actions?.length ? run.actions : (quote?.actions ?? []));
    this.showPictures(this.run?.pictures ?? []);
    this.element.hidden = [...this.body.children].every((part) => part.hidden);
  }

  tick() {
    const seconds = this.since ? ` · ${Math.max(0, Math.round((Date.now() - this.since) / 1000))} s` : "";
    if (this.seconds.textContent !== seconds) this.seconds.textContent = seconds;
  }

  showButtons(actions) {
    const wanted = actions.join();
    if (this.buttons.dataset.actions === wanted) return;
    this.buttons.dataset.actions = wanted;
    const does = { settings: openSettings, sandbox: useSandbox };
    this.buttons.replaceChildren(...actions.map((name) => makeButton(translate(`line.use_${name}`), does[name])));
    this.buttons.hidden = !actions.length;
  }

  showPictures(pictures) {
    const wanted = JSON.stringify(pictures);
    if (this.pictures.dataset.shown === wanted) return;
    this.pictures.dataset.shown = wanted;
    this.pictures.replaceChildren(...pictures.map(makePicture));
    this.pictures.hidden = !pictures.length;
  }
}

function callAfter(before, then) {
  return function (...given) {
    const result = before?.apply(this, given);
    then(...given);
    return result;
  };
}
