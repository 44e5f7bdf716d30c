// Some frontends load their own translations after those of custom nodes and so replace them: this
// pack would then be English in every language. This restores its translations before the nodes are
// registered, and does nothing where they are present.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const OURS = /^(comfyui-)?seedream/i;

app.registerExtension({
  name: "Seedream.RestoreTranslations",
  async init() {
    const i18n = findFrontendI18n();
    const locale = i18n?.locale?.value;
    if (!locale || locale === "en") return;
    if (i18n.te("nodeDefs.SeedreamEvolink.display_name", locale)) return;
    const all = (await (await api.fetchApi("/i18n")).json())[locale] ?? {};
    i18n.mergeLocaleMessage(locale, pickOwn(all) ?? {});
  },
});

/** Finds vue-i18n's global composer, which the frontend provides only to its components. */
function findFrontendI18n() {
  const provided = document.getElementById("vue-app")?.__vue_app__?._context?.provides ?? {};
  const values = Object.getOwnPropertySymbols(provided).map((symbol) => provided[symbol]);
  return values.find((value) => value?.global?.mergeLocaleMessage)?.global;
}

/** Picks what has a key of this pack, at any depth; undefined where nothing has. */
function pickOwn(messages) {
  const kept = Object.entries(messages ?? {})
    .map(([key, value]) => [key, OURS.test(key) ? value : typeof value === "object" ? pickOwn(value) : undefined])
    .filter(([, value]) => value !== undefined);
  return kept.length ? Object.fromEntries(kept) : undefined;
}
