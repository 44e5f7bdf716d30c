// Some frontends read the translations of custom nodes before their own, which then replace them:
// with those, this pack would be English for everybody. Runs before the nodes are registered, puts
// back what is missing of this pack, and does nothing where nothing is.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const OURS = /^seedream/i;

app.registerExtension({
  name: "Seedream.KeptTranslations",
  async init() {
    const translations = frontendTranslations();
    const locale = translations?.locale?.value;
    if (!locale || locale === "en") return;
    if (translations.te("nodeDefs.SeedreamEvolink.display_name", locale)) return;
    const all = (await (await api.fetchApi("/i18n")).json())[locale] ?? {};
    translations.mergeLocaleMessage(locale, ofThisPack(all));
  },
});

/** vue-i18n's global composer, which the frontend provides to its components alone. */
function frontendTranslations() {
  const provided = document.getElementById("vue-app")?.__vue_app__?._context?.provides ?? {};
  const values = Object.getOwnPropertySymbols(provided).map((symbol) => provided[symbol]);
  return values.find((value) => value?.global?.mergeLocaleMessage)?.global;
}

function ofThisPack(messages) {
  const kept = {};
  for (const [group, entries] of Object.entries(messages)) {
    const ours = Object.entries(entries).filter(([key]) => OURS.test(key));
    if (ours.length) kept[group] = Object.fromEntries(ours);
  }
  return kept;
}
