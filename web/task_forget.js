// The question before tasks are forgotten.
import { make, makeButton } from "./dom.js";
import { translate } from "./i18n.js";

/** Asks whether to forget these tasks, in a dialog inside `place`; calls `onConfirm()` for yes. */
export function askToForget(place, tasks, onConfirm) {
  const title = tasks.length === 1 ? translate("forget.title", { id: tasks[0].id }) : translate("forget.title_many", { count: tasks.length });
  // ComfyUI handles Escape too, and the browser then no longer closes the dialog.
  const escape = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") dialog.close();
  };
  const dialog = make("dialog", {
    class: "seedream-dialog",
    "aria-labelledby": "seedream-forget-title",
    onclose: () => dialog.remove(),
    onkeydown: escape,
  },
    make("h3", { id: "seedream-forget-title", text: title }),
    make("p", { text: translate("forget.text") }),
    tasks.some((task) => task.charge === "possible") ? make("p", { class: "seedream-warning", text: translate("forget.unknown") }) : null,
    make("div", { class: "seedream-actions" },
      makeButton(translate("actions.cancel"), () => dialog.close(), { autofocus: true }),
      makeButton(translate("forget.confirm"), () => {
        dialog.close();
        onConfirm();
      }, { class: "seedream-button seedream-danger", "data-action": "confirm" }),
    ),
  );
  place.append(dialog);
  dialog.showModal();
}
