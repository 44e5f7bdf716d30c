// What a person can do with one task or with several.
import { api } from "../../scripts/api.js";
import { call } from "./api.js";
import { addNode, copyText, putInputs, useAsReference } from "./canvas_actions.js";
import { make } from "./dom.js";
import { translate } from "./i18n.js";
import { askToForget } from "./task_forget.js";
import { openMenu } from "./task_menu.js";

const COLLECTABLE = new Set(["sending", "accepted", "answered", "unknown", "empty"]);
const ICONS = {
  view: "pi-window-maximize", collect: "pi-cloud-download", inputs: "pi-replay", reference: "pi-image",
  save: "pi-save", poll: "pi-sync", copy: "pi-copy", compare: "pi-arrows-h", csv: "pi-table", json: "pi-code",
  forget: "pi-trash", more: "pi-ellipsis-h",
};

/** Returns whether the images of a task are paid for and can be fetched. */
export function canCollect(task) {
  if (task.is_live) return false;
  if (["completed", "partial"].includes(task.state)) return task.made > task.stored.length;
  return task.group === "attention" && COLLECTABLE.has(task.state);
}

const OFFERS = {
  collect: canCollect,
  inputs: (task) => Boolean(task.family),
  reference: (task) => task.stored.length > 0,
  save: (task) => task.stored.length > 0,
  view: (task) => task.stored.length > 0,
  poll: (task) => Boolean(task.task_id) && ["running", "attention", "done"].includes(task.group),
  copy: (task) => Boolean(task.task_id),
  forget: (task) => !task.is_live && task.state !== "forgotten",
};
const OFFERED_FIRST = 3;

export class TaskActions {
  /** `report(text)` shows what was done; `view(task, place)` and `compare(images)` open the big view;
   * `getQuery(more)` gives the conditions of the list; `place` holds menus and dialogs. */
  constructor({ report, view, compare, getQuery, place }) {
    Object.assign(this, { report, view, compare, getQuery, place });
  }

  /** Makes the buttons of a task: the most useful with words, the others in a menu. */
  makeButtons(task, place = 0, left = []) {
    const offered = Object.keys(OFFERS).filter((name) => OFFERS[name](task) && !left.includes(name));
    const first = offered.filter((name) => !["view", "copy", "poll", "forget"].includes(name)).slice(0, OFFERED_FIRST);
    const rest = offered.filter((name) => !first.includes(name));
    const buttons = first.map((name, at) => this.makeButton(name, () => this.run(name, task, place), at === 0));
    if (rest.length) buttons.push(this.makeMore((at) => this.openMenu(rest, task, place, at)));
    return buttons;
  }

  makeButton(name, act, isFirst) {
    return make("button", {
      type: "button",
      class: isFirst ? "seedream-button seedream-primary" : "seedream-button",
      "data-action": name,
      onclick: act,
    }, make("span", { class: `pi ${ICONS[name]}`, "aria-hidden": "true" }), translate(`actions.${name}`));
  }

  makeMore(open) {
    const more = make("button", {
      type: "button",
      class: "seedream-button seedream-more",
      "aria-haspopup": "menu",
      "aria-label": translate("actions.more"),
      title: translate("actions.more"),
      "data-action": "more",
      onclick: () => open(more),
    }, make("span", { class: `pi ${ICONS.more}`, "aria-hidden": "true" }));
    return more;
  }

  openMenu(names, task, place, at) {
    openMenu(this.place, at, names.map((name) => toEntry(name, () => this.run(name, task, place))));
  }

  /** Shows every action of a task at the pointer. */
  openTaskMenu(task, event) {
    this.openMenu(Object.keys(OFFERS).filter((name) => OFFERS[name](task)), task, 0, event);
  }

  /** Makes the buttons for several selected tasks. */
  makeManyButtons(tasks) {
    const withImages = tasks.filter(OFFERS.save);
    const images = withImages.flatMap((task) => task.stored.map((position) => ({ task, position })));
    const buttons = [];
    if (images.length > 1) buttons.push(this.makeButton("compare", () => this.compare(images), true));
    if (withImages.length) buttons.push(this.makeButton("save", () => this.runMany("save", withImages)));
    buttons.push(this.makeMore((at) => openMenu(this.place, at, this.listManyEntries(tasks))));
    return buttons;
  }

  listManyEntries(tasks) {
    const ids = tasks.map((task) => task.id).join(",");
    const some = (name) => tasks.filter(OFFERS[name]);
    return [
      ...["collect", "inputs"].filter((name) => some(name).length).map((name) => toEntry(name, () => this.runMany(name, some(name)))),
      ...this.listExports({ ids }),
      some("forget").length ? toEntry("forget", () => this.askToForget(some("forget"))) : null,
    ].filter(Boolean);
  }

  /** Lists the exports of what is shown, or of the tasks with `ids`. */
  listExports(more = {}) {
    return ["csv", "json"].map((format) => toEntry(format, () => download(this.getQuery({ ...more, format }))));
  }

  run(name, task, place) {
    if (name === "view") this.view(task, place);
    else if (name === "forget") this.askToForget([task]);
    else this.runMany(name, [task], place);
  }

  /** Runs an action on tasks, one after the other, and reports the last result or the first error. */
  async runMany(name, tasks, place = 0) {
    let done = "";
    try {
      for (const task of tasks) done = await ACTS[name](task, place);
    } catch (error) {
      done = error.message;
    }
    this.report(done);
  }

  askToForget(tasks) {
    askToForget(this.place, tasks, () => this.runMany("forget", tasks));
  }
}

const ACTS = {
  async collect(task) {
    const now = await call(`/tasks/${task.id}/collect`, {});
    return translate(now.group === "done" ? "actions.collected" : "actions.collecting");
  },
  async inputs(task) {
    const inputs = await call(`/tasks/${task.id}/inputs`, {});
    putInputs(inputs);
    if (inputs.is_exact) return translate("actions.inputs_put");
    const lost = inputs.references.filter(({ file, url }) => !file && !url).length;
    if (lost) return translate("actions.inputs_missing", { count: lost });
    return translate(inputs.inputs.prompt === undefined ? "actions.inputs_no_prompt" : "actions.inputs_changed");
  },
  async reference(task, place) {
    const { file } = await call(`/tasks/${task.id}/images/${task.stored[place] ?? task.stored[0]}/input`, {});
    return translate(useAsReference(file) ? "actions.linked" : "actions.loaded");
  },
  async save(task) {
    const { files } = await call(`/tasks/${task.id}/save`, {});
    return translate("actions.saved", { count: files.length, file: files.at(-1) });
  },
  async poll(task) {
    addNode("SeedreamPollTask", { task_id: task.task_id });
    return translate("actions.polled");
  },
  async copy(task) {
    return translate((await copyText(task.task_id)) ? "actions.copied" : "actions.not_copied");
  },
  async forget(task) {
    await call(`/tasks/${task.id}/forget`, {});
    return translate("actions.forgotten");
  },
};

function toEntry(name, act) {
  return { name, text: translate(`actions.${name}`), icon: ICONS[name], act, isDanger: name === "forget" };
}

function download(query) {
  const link = make("a", { href: api.apiURL(`/seedream/tasks/export?${query}`), download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}
