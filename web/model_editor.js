// The editor of model entries in the settings panel: their JSON, the place of a mistake in it, and
// entries for models that the service offers and that no entry describes.
import { app } from "../../scripts/app.js";
import { call, saveSettings } from "./api.js";
import { make, makeButton, setText } from "./dom.js";
import { getLanguage, translate } from "./i18n.js";

/** Makes the editor; it fills itself. */
export function makeModelEditor() {
  return new ModelEditor().element;
}

class ModelEditor {
  constructor() {
    this.problem = make("p", { class: "seedream-error", role: "alert", hidden: true, id: "seedream-models-problem" });
    this.reason = make("p", { class: "seedream-reason", hidden: true });
    this.path = make("code", { class: "seedream-home" });
    this.text = make("textarea", { id: "seedream-models-text", class: "seedream-input seedream-models", rows: 12, spellcheck: "false", wrap: "off", "aria-describedby": this.problem.id });
    this.saveButton = makeButton(translate("settings.save"), () => this.save(), { id: "seedream-models-save" });
    this.liveButton = makeButton(translate("models.ask"), () => this.ask(), { id: "seedream-models-live" });
    this.state = make("span", { class: "seedream-value", role: "status" });
    this.offers = make("ul", { class: "seedream-offers", id: "seedream-models-offers" });
    this.element = make("div", {},
      make("label", { class: "seedream-label", for: this.text.id, text: translate("models.title") }),
      make("p", { class: "seedream-help" }, `${translate("models.help")} `, this.path),
      this.reason, this.text, this.problem,
      make("div", { class: "seedream-buttons" }, this.saveButton, this.liveButton, this.state),
      this.offers,
    );
    this.text.addEventListener("input", () => setText(this.state, ""));
    this.run(async () => this.show(await call("/models")));
  }

  show(listing) {
    this.text.value = listing.text;
    this.text.readOnly = !listing.editable;
    this.saveButton.disabled = !listing.editable;
    this.path.textContent = listing.path;
    setText(this.reason, listing.reason?.[getLanguage()]);
    this.fail(listing.error?.[getLanguage()]);
  }

  /** Shows a mistake, and selects the line that it names. */
  fail(message) {
    setText(this.problem, message);
    const line = Number(/line (\d+)|第 (\d+) 行/.exec(message ?? "")?.slice(1).find(Boolean));
    if (!line) return;
    const lines = this.text.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    this.text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  }

  async run(work) {
    setText(this.problem, "");
    try {
      await work();
    } catch (error) {
      this.fail(error.message);
    }
  }

  save() {
    return this.run(async () => {
      const listing = await saveSettings("/models", { text: this.text.value });
      this.show(listing);
      setText(this.state, translate("models.saved", { count: listing.added.length }));
      await app.refreshComboInNodes?.();
    });
  }

  ask() {
    return this.run(async () => {
      const { is_open, offered } = await call("/models/live", {});
      setText(this.state, is_open ? "" : translate("models.closed"));
      this.offers.replaceChildren(...offered.map((one) => this.makeOffer(one)));
    });
  }

  makeOffer(offered) {
    if (!offered.suggestion) return make("li", { text: translate("models.known", { id: offered.id }) });
    const add = makeButton(translate("models.add"), () => this.add(offered.suggestion), {
      disabled: this.text.readOnly,
      "aria-label": translate("models.add_of", { id: offered.id }),
    });
    return make("li", {}, `${translate("models.new", { id: offered.id, like: offered.suggestion.like })} `, add);
  }

  /** Adds an entry to the text; the user corrects and saves it. */
  add(entry) {
    try {
      const entries = this.text.value.trim() ? JSON.parse(this.text.value) : [];
      this.text.value = JSON.stringify([...entries, entry], null, 1);
      setText(this.state, translate("models.added", { id: entry.id }));
      this.text.focus();
    } catch {
      setText(this.problem, translate("models.not_json"));
    }
  }
}
