// Texts that the numbers and the chart of the usage share.
import { translate } from "./i18n.js";

/** Describes a number of images, and those that may have been charged. */
export function describeImages(charged, possible) {
  return possible ? translate("usage.images_both", { count: charged, possible }) : translate("usage.images", { count: charged });
}
