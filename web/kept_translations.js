// Some frontends read the translations of custom nodes before their own, which then replace them:
// with those, this pack would be English for everybody. Runs before the nodes are registered, puts
// back what is missing of this pack, and does nothing where nothing is.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const OURS = /^(comfyui-)?seedream/i;

app.registerExtension({
  name: "Seedream.KeptTranslations",
  async init() {
    const translations = frontendTranslations();
    const locale = translations?.locale?.value;
    if (!locale || locale === "en") return;
    if (translations.te("nodeDefs.SeedreamEvolink.display_name", locale)) return;
    const all = (await (await api.fetchApi("/i18n")).json())[locale] ?? {};
    translations.mergeLocaleMessage(locale, ofThisPack(all) ?? {});
  },
});

/** vue-i18n's global composer, which the frontend provides to its components alone. */
function frontendTranslations() {
  const provided = document.getElementById("vue-app")?.__vue_app__?._context?.provides ?? {};
  const values = Object.getOwnPropertySymbols(provided).map((symbol) => provided[symbol]);
  return values.find((value) => value?.global?.mergeLocaleMessage)?.global;
}

/** What stands under keys of ours, at any depth; undefined where nothing does. */
function ofThisPack(messages) {
  const kept = Object.entries(messages ?? {})
    .map(([key, value]) => [key, OURS.test(key) ? value : typeof value === "object" ? ofThisPack(value) : undefined])
    .filter(([, value]) => value !== undefined);
  return kept.length ? Object.fromEntries(kept) : undefined;
}
