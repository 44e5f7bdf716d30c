// ComfyUI shows a pack's templates by file name only. While its template browser is open, this gives
// the cards of this pack a title and a description in the user's language; in a frontend with other
// cards they keep their file names.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { make } from "./dom.js";
import { findTemplateTexts, getLanguage, hasTranslation, loadTranslations, translate } from "./i18n.js";

const BROWSER = ["data-dialog-key", "aria-labelledby"]
  .map((attribute) => `[${attribute}="global-workflow-template-selector"]`)
  .join();
const FOLDER = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-2));

app.registerExtension({
  name: "Seedream.TemplateTitles",
  loadedGraphNode: translateNote,
  setup() {
    // Dialogs are direct children of the body, so it is enough to watch those.
    new MutationObserver(watchDialog).observe(document.body, { childList: true });
    watchDialog();
  },
});

const MESSAGE = "Execution Message"; // of a node, while an app runs

const cards = new MutationObserver(() => setTitles());
let opened = null;
let names = null;

async function watchDialog() {
  const dialog = document.querySelector(BROWSER);
  if (dialog === opened) return;
  opened = dialog;
  cards.disconnect();
  if (!dialog) return;
  names ??= await findOwnNames();
  if (dialog !== opened) return;
  cards.observe(dialog, { childList: true, subtree: true });
  setTitles();
}

/** Finds the template names that only this pack has: a card shows no more than the name. */
async function findOwnNames() {
  try {
    await loadTranslations();
    const { [FOLDER]: own = [], ...others } = await (await api.fetchApi("/workflow_templates")).json();
    const foreign = new Set(Object.values(others).flat());
    return own.filter((name) => hasTranslation(`templates.${name}.title`) && !foreign.has(name));
  } catch {
    return []; // The file names are good enough.
  }
}

/** Shows a template's note and messages in one language; one that its user has changed stays as it is. */
function translateNote(node) {
  const message = node.properties?.[MESSAGE];
  if (message) node.properties[MESSAGE] = findTemplateTexts("message").find(([english]) => english === message)?.[place()] ?? message;
  if (node.type !== "MarkdownNote") return;
  const [note] = node.widgets ?? [];
  const own = note && findTemplateTexts("note").find((texts) => texts.join("\n\n") === note.value);
  if (own) note.value = own[place()];
}

const place = () => (getLanguage() === "zh" ? 1 : 0);

/** Puts a list that has only this pack's cards into the order of their numbers. */
function sortCards() {
  const shown = [...opened.querySelectorAll("[data-testid^=template-workflow-]")];
  const ids = names.map((name) => `template-workflow-${name}`).sort();
  const own = shown.filter((card) => ids.includes(card.dataset.testid));
  if (!own.length || own.length < shown.filter((card) => card.querySelector("h3")).length) return;
  for (const card of own) {
    let item = card;
    while (item.parentElement && getComputedStyle(item.parentElement).display !== "grid") item = item.parentElement;
    if (item.parentElement) item.style.order = String(ids.indexOf(card.dataset.testid));
  }
}

function setTitles() {
  sortCards();
  for (const name of names) {
    const card = opened?.querySelector(`[data-testid="template-workflow-${CSS.escape(name)}"]`);
    const heading = card?.querySelector("h3");
    const title = translate(`templates.${name}.title`);
    if (heading?.textContent === name) {
      heading.textContent = heading.title = title;
      describe(card.querySelector("p") ?? addDescription(heading), translate(`templates.${name}.description`));
    }
    // Scrolling adds and removes the pictures.
    for (const image of card?.querySelectorAll("img") ?? []) if (image.alt === name) image.alt = title;
  }
}

function addDescription(heading) {
  const text = make("p", { class: "seedream-template" });
  heading.after(text);
  return text;
}

function describe(element, text) {
  element.textContent = element.title = text;
}
