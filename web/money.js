// Amounts of money. They stay texts, so that no binary fraction changes their last decimal.
import { getLanguage, translate } from "./i18n.js";

/** Formats an amount with its currency, such as "1,200.50 CNY". */
export function formatMoney(amount, currency) {
  const [whole, decimals] = amount.split(".");
  const grouped = BigInt(whole).toLocaleString(getLanguage());
  return `${decimals ? `${grouped}.${decimals}` : grouped} ${currency}`;
}

/** Whether an estimate is known: a batch of which only some rows have a price has a currency alone. */
export function hasEstimate({ estimated, currency }) {
  return Boolean(estimated && currency);
}

/** Describes the most that a request may cost, or with `isLinked` each item of a linked list. */
export function describeMost(cost, isLinked = false) {
  if (!hasEstimate(cost)) return translate("money.unknown");
  return translate(isLinked ? "money.at_most_linked" : "money.at_most", { money: formatMoney(cost.estimated, cost.currency) });
}

/** Describes what several requests cost together; one without a price makes the sum unknown. */
export function describeSum(costs) {
  const amounts = costs.map((cost) => cost?.charged ?? cost?.estimated);
  const currencies = new Set(costs.map((cost) => cost?.currency));
  const [currency] = currencies;
  if (currencies.size > 1 || !currency || amounts.some((amount) => !amount)) return translate("money.unknown");
  return formatMoney(addAmounts(amounts), currency);
}

function addAmounts(amounts) {
  const parts = amounts.map((amount) => amount.split("."));
  const places = Math.max(...parts.map(([, decimals = ""]) => decimals.length));
  const total = parts.reduce((sum, [whole, decimals = ""]) => sum + BigInt(whole + decimals.padEnd(places, "0")), 0n);
  const digits = String(total).padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}
