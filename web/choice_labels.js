// ComfyUI shows the choices of a combo as they are saved. Where those are words, a Chinese reader is
// shown their labels; what is saved and sent stays the same in every language.
import { app } from "../../scripts/app.js";
import { choiceLabels, loadWords } from "./words.js";

const LONGEST = 4; // Longer menus have a field to search them, which menus with labels lack.
const MARGIN_PX = 10;

app.registerExtension({
  name: "Seedream.ChoiceLabels",
  init: loadWords,
  nodeCreated(node) {
    for (const widget of node.widgets ?? []) {
      const labels = choiceLabels(node.comfyClass, widget.name);
      if (!labels || widget.options.values.length > LONGEST) continue;
      const label = (value) => labels[value] ?? value;
      // The second name is what the elements of older frontends go by.
      Object.assign(widget.options, { getOptionLabel: label, optionLabel: label });
      keepMenuInside(widget);
    }
  },
});

/** ComfyUI places a menu with labels before it fills it: low in the window most of it would be cut off. */
function keepMenuInside(widget) {
  const open = widget.onClick;
  if (!open) return;
  widget.onClick = function (...given) {
    open.apply(this, given);
    const menu = [...document.querySelectorAll(".litecontextmenu")].at(-1);
    const cut = menu ? menu.offsetTop + menu.scrollHeight + MARGIN_PX - window.innerHeight : 0;
    if (cut > 0) menu.style.top = `${menu.offsetTop - cut}px`;
  };
}
