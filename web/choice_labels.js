// ComfyUI shows the choices of a combo as they are saved. This shows a translated label for those that
// are words; what is saved and sent stays the same in every language.
import { app } from "../../scripts/app.js";
import { getChoiceLabels, loadTranslations } from "./i18n.js";

const LONGEST = 4; // A longer menu has a search field, which a menu with labels lacks.
const MARGIN_PX = 10;

app.registerExtension({
  name: "Seedream.ChoiceLabels",
  init: loadTranslations,
  nodeCreated(node) {
    for (const widget of node.widgets ?? []) {
      const labels = getChoiceLabels(node.comfyClass, widget.name);
      if (!labels || widget.options.values.length > LONGEST) continue;
      const label = (value) => labels[value] ?? value;
      // Older frontends use the second name.
      Object.assign(widget.options, { getOptionLabel: label, optionLabel: label });
      keepMenuInside(widget);
    }
  },
});

/** Moves a menu into the window: ComfyUI places a menu with labels before it knows its height. */
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
