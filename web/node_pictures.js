// The pictures on a node: the results of its run, or the references sent while it runs.
import { api } from "../../scripts/api.js";
import { make } from "./dom.js";
import { translate } from "./i18n.js";

/** Collects the pictures of all calls, in the order of the list. */
export function collectPictures(run) {
  const calls = [...run.done.entries()].sort(([one], [other]) => one - other);
  return calls.flatMap(([, { pictures = [], record }]) => pictures.map((picture) => ({ ...picture, record })));
}

/** Makes the element of one picture, numbered from 1 for screen readers. */
export function makePicture(picture, index) {
  const { filename, subfolder, type } = picture;
  const url = api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`);
  return make("img", { src: url, alt: translate("line.picture", { number: index + 1 }), draggable: "false" });
}
