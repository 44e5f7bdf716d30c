// The texts of locales/*/main.json, in ComfyUI's language or else in English.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

let texts = { en: {}, zh: {} };
let nodes = { en: {}, zh: {} };
let loading = null;

/** Loads the texts once; safe to call again. */
export function loadTranslations() {
  loading ??= api
    .fetchApi("/i18n")
    .then((response) => response.json())
    .then((all) => {
      texts = { en: all.en?.seedream ?? {}, zh: all.zh?.seedream ?? {} };
      nodes = { en: all.en?.nodeDefs ?? {}, zh: all.zh?.nodeDefs ?? {} };
    });
  return loading;
}

export function getLanguage() {
  const locale = app.extensionManager?.setting?.get("Comfy.Locale") ?? navigator.language;
  return String(locale).startsWith("zh") ? "zh" : "en";
}

/** Returns the text of `key`, such as "tasks.title", with `{name}` replaced by `values.name`, which decides about a plural `(s)`. */
export function translate(key, values = {}) {
  const text = findText(texts[getLanguage()], key) ?? findText(texts.en, key) ?? key;
  return text
    .replace(/(\{(\w+)\} [a-z ]*[a-z])\(s\)/g, (all, start, name) => start + (Number(values[name]) === 1 ? "" : "s"))
    .replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
}

/** The same for a number of things: `KEY_one` for one of them, where there is such a text. */
export function translateCount(key, count, values = {}) {
  const one = `${key}_one`;
  return translate(count === 1 && hasTranslation(one) ? one : key, { count, ...values });
}

export function hasTranslation(key) {
  return findText(texts.en, key) !== undefined;
}

/** Returns the labels of an input's choices by value; undefined where the language has none. */
export function getChoiceLabels(node, input) {
  return nodes[getLanguage()][node]?.inputs?.[input]?.options;
}

/** Returns the translated tooltip of an input; undefined where the language has none. */
export function getTooltip(node, input) {
  return nodes[getLanguage()][node]?.inputs?.[input]?.tooltip;
}

/** Returns a text of each template that has one, in English and in Chinese. */
export function findTemplateTexts(kind) {
  return Object.entries(texts.en.templates ?? {})
    .map(([name, english]) => [english[kind], texts.zh.templates?.[name]?.[kind]])
    .filter(([text]) => text);
}

function findText(group, key) {
  const text = key.split(".").reduce((inside, part) => inside?.[part], group);
  return typeof text === "string" ? text : undefined;
}
