// A menu of actions at a button or at the pointer. Arrow keys move in it, Escape closes it.
import { make } from "./dom.js";

const EDGE_PX = 8;

/** Shows `entries` of { name, text, icon, act, isDanger } inside `place`, at an element or an event. */
export function openMenu(place, at, entries) {
  const before = document.activeElement;
  const menu = make("div", {
    class: "seedream-menu",
    role: "menu",
    popover: "manual",
    onkeydown: (event) => onKey(event, menu, close),
    onfocusout: (event) => menu.contains(event.relatedTarget) || close(false),
  }, ...entries.map((entry) => makeEntry(entry, () => close())));
  let isOpen = true;
  function close(returnsFocus = true) {
    if (!isOpen) return;
    isOpen = false;
    document.removeEventListener("pointerdown", onOutside, true);
    menu.remove();
    if (returnsFocus) before?.focus?.();
  }
  const onOutside = (event) => menu.contains(event.target) || close(false);
  document.addEventListener("pointerdown", onOutside, true);
  place.append(menu);
  menu.showPopover?.();
  moveTo(menu, at);
  menu.querySelector("button")?.focus();
}

function makeEntry({ name, text, icon, act, isDanger }, close) {
  const run = () => {
    close();
    act();
  };
  return make("button", {
    type: "button",
    role: "menuitem",
    tabindex: -1,
    class: isDanger ? "seedream-entry seedream-danger" : "seedream-entry",
    "data-action": name,
    onclick: run,
  }, make("span", { class: `pi ${icon}`, "aria-hidden": "true" }), text);
}

function onKey(event, menu, close) {
  const entries = [...menu.querySelectorAll("button")];
  const now = entries.indexOf(document.activeElement);
  const moves = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 };
  event.stopPropagation();
  if (event.key === "Escape" || event.key === "Tab") close();
  else if (event.key in moves) entries.at(moves[event.key] % entries.length).focus();
  else return;
  event.preventDefault();
}

/** Places the menu below an element or at the pointer, inside of the window. */
function moveTo(menu, at) {
  const box = at.getBoundingClientRect?.();
  const [x, y] = box ? [box.left, box.bottom + 4] : [at.clientX, at.clientY];
  const { width, height } = menu.getBoundingClientRect();
  const top = box && y + height > window.innerHeight - EDGE_PX ? box.top - height - 4 : y;
  menu.style.left = `${Math.max(EDGE_PX, Math.min(x, window.innerWidth - width - EDGE_PX))}px`;
  menu.style.top = `${Math.max(EDGE_PX, Math.min(top, window.innerHeight - height - EDGE_PX))}px`;
}
