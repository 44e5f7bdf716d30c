// Shows a toast when the balance fell by more or less than the recorded requests cost.
import { api } from "../../scripts/api.js";
import { notify } from "./host_actions.js";
import { getLanguage } from "./i18n.js";

const LIFE_MS = 60_000;

api.addEventListener("seedream.balance", ({ detail }) => notify("warn", detail[getLanguage()], LIFE_MS));
