// Helpers that make and change elements.

/** Makes an element; properties that begin with `on` are listeners, the others are attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function makeButton(text, onclick, properties = {}) {
  return make("button", { type: "button", class: "seedream-button", text, onclick, ...properties });
}

/** Shows a text in an element that is hidden while it has none. */
export function setText(element, text) {
  element.textContent = text ?? "";
  element.hidden = !text;
}

/**
 * Makes a group of fields that are disabled until they show what the server has. With `hold` they are
 * so while the server takes their values over, too: nothing that a user types is overwritten.
 */
export function makeFields(name, ...children) {
  return make("fieldset", { class: `seedream-fields ${name}`, disabled: true }, ...children);
}

/** Disables a group of fields while `work` runs. Buttons stay outside of it: they keep the focus. */
export async function hold(fields, work) {
  fields.disabled = true;
  try {
    return await work();
  } finally {
    fields.disabled = false;
  }
}
