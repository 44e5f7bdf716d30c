// ComfyUI knows a pack's templates by their file names alone and has no place for titles. While its
// template browser is open, the cards of this pack are given title and description in the reader's
// language; where a frontend's cards are made otherwise, they keep their file names.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { make } from "./dom.js";
import { hasWord, loadWords, word } from "./words.js";

const BROWSER = ["data-dialog-key", "aria-labelledby"]
  .map((attribute) => `[${attribute}="global-workflow-template-selector"]`)
  .join();
const FOLDER = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-2));

app.registerExtension({
  name: "Seedream.TemplateTitles",
  setup() {
    // Dialogs are put directly into the page's body, so that its own children are enough to watch.
    new MutationObserver(follow).observe(document.body, { childList: true });
    follow();
  },
});

const cards = new MutationObserver(() => giveTitles());
let opened = null;
let names = null;

async function follow() {
  const dialog = document.querySelector(BROWSER);
  if (dialog === opened) return;
  opened = dialog;
  cards.disconnect();
  if (!dialog) return;
  names ??= await ownNames();
  if (dialog !== opened) return;
  cards.observe(dialog, { childList: true, subtree: true });
  giveTitles();
}

/** The file names of this pack's templates that no other pack has too: the cards tell no more. */
async function ownNames() {
  try {
    await loadWords();
    const { [FOLDER]: own = [], ...others } = await (await api.fetchApi("/workflow_templates")).json();
    const foreign = new Set(Object.values(others).flat());
    return own.filter((name) => hasWord(`templates.${name}.title`) && !foreign.has(name));
  } catch {
    return []; // The file names are good enough.
  }
}

function giveTitles() {
  for (const name of names) {
    const card = opened?.querySelector(`[data-testid="template-workflow-${CSS.escape(name)}"]`);
    const heading = card?.querySelector("h3");
    const title = word(`templates.${name}.title`);
    if (heading?.textContent === name) {
      heading.textContent = heading.title = title;
      describe(card.querySelector("p") ?? under(heading), word(`templates.${name}.description`));
    }
    // Pictures come and go as the cards are scrolled.
    for (const image of card?.querySelectorAll("img") ?? []) if (image.alt === name) image.alt = title;
  }
}

function under(heading) {
  const text = make("p", { class: "seedream-template" });
  heading.after(text);
  return text;
}

function describe(element, text) {
  element.textContent = element.title = text;
}
