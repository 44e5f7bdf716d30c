// What people read here, from locales/*/main.json, in ComfyUI's language or else in English.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

let spoken = { en: {}, zh: {} };
let nodes = { en: {}, zh: {} };
let loading = null;

/** Loads the words once; safe to call again. */
export function loadWords() {
  loading ??= api
    .fetchApi("/i18n")
    .then((answer) => answer.json())
    .then((all) => {
      spoken = { en: all.en?.seedream ?? {}, zh: all.zh?.seedream ?? {} };
      nodes = { en: all.en?.nodeDefs ?? {}, zh: all.zh?.nodeDefs ?? {} };
    });
  return loading;
}

export function language() {
  const locale = app.extensionManager?.setting?.get("Comfy.Locale") ?? navigator.language;
  return String(locale).startsWith("zh") ? "zh" : "en";
}

/** The text of `key`, such as "tasks.title", with `{name}` replaced by `values.name`. */
export function word(key, values = {}) {
  const text = found(spoken[language()], key) ?? found(spoken.en, key) ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
}

export function hasWord(key) {
  return found(spoken.en, key) !== undefined;
}

/** The labels of an input's choices by their values; undefined where the language has none. */
export function choiceLabels(node, input) {
  return nodes[language()][node]?.inputs?.[input]?.options;
}

function found(words, key) {
  const text = key.split(".").reduce((inside, part) => inside?.[part], words);
  return typeof text === "string" ? text : undefined;
}
