// The controls of a model entry's form, one per kind of key; the server says which key has which kind.
import { make } from "./dom.js";
import { translate } from "./i18n.js";
import { formatMembers, parseMembers } from "./model_text.js";

const REFERENCE = "reference";

/**
 * Makes the control of a key. Its `show(value, facts)` shows a value; `facts` has the lists of the
 * entry, its tiers, and the ids of the models that it may be like.
 *
 * @param field the server's description of the key
 * @param properties of the element that has the label
 * @param change receives what the user entered, undefined where nothing is left
 * @param refuse receives the key of a text if the entered text cannot be read
 */
export function makeControl(field, properties, change, refuse) {
  return CONTROLS[field.kind](field, properties, change, refuse);
}

const CONTROLS = {
  text: makeLine(showText, (text) => text.trim() || undefined),
  texts: makeLine(showTexts, (text) => text.split(/[,，、]/).map((part) => part.trim()).filter(Boolean)),
  number: makeLine(showText, (text) => (text === "" ? undefined : Number(text)), (field) => ({ type: "number", min: field.low, max: field.high, step: 1 })),
  choice: makeSelect((field) => field.values),
  model: makeSelect((field, facts) => facts.ids),
  item: makeSelect((field, facts) => facts.lists[field.of] ?? []),
  choices: makeBoxes,
  switch: makeSwitch,
  amounts: makeAmounts,
  members: makeArea(formatMembers, parseMembers),
  json: makeArea((value) => JSON.stringify(value, null, 1), JSON.parse),
};

function makeLine(show, parse, more = () => ({})) {
  return (field, properties, change) => {
    const input = make("input", { class: "seedream-input", type: "text", autocomplete: "off", spellcheck: "false", ...more(field), ...properties });
    input.addEventListener("change", () => change(parse(input.value)));
    return { element: input, show: (value) => (input.value = show(value)) };
  };
}

function showText(value) {
  return value === undefined || typeof value === "string" ? (value ?? "") : JSON.stringify(value);
}

function showTexts(value) {
  return Array.isArray(value) ? value.map(showText).join(", ") : showText(value);
}

function makeSelect(list) {
  return (field, properties, change) => {
    const select = make("select", { class: "seedream-input", ...properties });
    select.addEventListener("change", () => change(select.value));
    const show = (value, facts) => {
      const chosen = showText(value);
      // A wrong value is shown too, with its mistake below.
      const values = [...new Set([...list(field, facts).map(showText), chosen])];
      select.replaceChildren(...values.map((one) => make("option", { value: one, text: one })));
      select.value = chosen;
    };
    return { element: select, show };
  };
}

function makeBoxes(field, properties, change) {
  const boxes = field.values.map((value) => make("input", { type: "checkbox", value }));
  const labels = boxes.map((box) => make("label", {}, box, box.value));
  const collect = () => change(boxes.filter((box) => box.checked).map((box) => box.value));
  const element = make("div", { class: "seedream-boxes", role: "group", onchange: collect, ...properties }, ...labels);
  const show = (value) => {
    for (const box of boxes) box.checked = Array.isArray(value) && value.includes(box.value);
  };
  return { element, show };
}

function makeSwitch(field, properties, change) {
  const input = make("input", { class: "seedream-switch", type: "checkbox", role: "switch", ...properties });
  input.addEventListener("change", () => change(input.checked));
  return { element: input, show: (value) => (input.checked = value === true) };
}

/** Makes one field per tier and one for reference images; a single price holds for every tier. */
function makeAmounts(field, properties, change) {
  const element = make("div", { class: "seedream-amounts", role: "group", ...properties });
  let inputs = [];
  const collect = () => {
    const given = inputs.map((input) => [input.name, input.value.trim().replace(",", ".")]).filter(([, amount]) => amount);
    change(given.length ? Object.fromEntries(given) : undefined);
  };
  const makeInput = (name) => make("input", { class: "seedream-input", name, type: "text", inputmode: "decimal", size: 6, autocomplete: "off", placeholder: "?", onchange: collect });
  const show = (value, facts) => {
    const amounts = typeof value === "string" ? Object.fromEntries(facts.tiers.map((tier) => [tier, value])) : (value ?? {});
    const names = [...new Set([...facts.tiers, REFERENCE, ...Object.keys(amounts)])];
    // New elements would lose the focus.
    if (names.join() !== inputs.map((input) => input.name).join()) {
      inputs = names.map(makeInput);
      element.replaceChildren(...inputs.map((input) => make("label", {}, make("span", { text: input.name === REFERENCE ? translate("prices.reference") : input.name }), input)));
    }
    for (const input of inputs) input.value = showText(amounts[input.name]);
  };
  return { element, show };
}

function makeArea(format, parse) {
  return (field, properties, change, refuse) => {
    const area = make("textarea", { class: "seedream-input seedream-models", rows: 3, spellcheck: "false", wrap: "off", ...properties });
    area.addEventListener("change", () => {
      let value;
      try {
        value = area.value.trim() ? parse(area.value) : undefined;
      } catch {
        refuse(field.kind);
        return;
      }
      change(value);
    });
    return { element: area, show: (value) => (area.value = value === undefined ? "" : format(value)) };
  };
}
