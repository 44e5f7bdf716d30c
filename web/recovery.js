// What the panel offers besides single tasks: a round of recovery, and the receipts of dropped images.
import { call } from "./api.js";
import { translate } from "./i18n.js";

const KEYWORD = "seedream";
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Fetches every unfinished task now; `report(text)` shows what came. */
export async function collectAll(report) {
  report(translate("recovery.collecting"));
  try {
    const { images, running, failed } = await call("/recovery", {});
    const left = running.length + Object.keys(failed).length;
    const done = translate(left ? "recovery.collected_some" : "recovery.collected", { images, left });
    report(images || left ? done : translate("recovery.nothing"));
  } catch (error) {
    report(error.message);
  }
}

/** Calls `onTask(task)` with the task of a PNG file that is dropped on the element. */
export function acceptReceipts(element, onTask, report) {
  element.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  element.addEventListener("drop", async (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    // Otherwise ComfyUI loads the workflow of the image.
    event.preventDefault();
    event.stopPropagation();
    try {
      const task = await findTask(file);
      if (task) onTask(task);
      else report(translate(task === null ? "recovery.not_here" : "recovery.no_receipt"));
    } catch (error) {
      report(error.message);
    }
  });
}

/** Returns the task of an image; null if this ledger has none, undefined without a receipt. */
async function findTask(file) {
  const receipts = readReceipts(new Uint8Array(await file.arrayBuffer()));
  if (!receipts.length) return undefined;
  const { tasks } = await call("/receipts", { receipts: receipts.slice(0, 20) });
  return tasks.find(Boolean) ?? null;
}

/** Reads the receipts in the text chunk of a PNG; empty for any other file. */
export function readReceipts(bytes) {
  if (SIGNATURE.some((byte, place) => bytes[place] !== byte)) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = decode(bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (name === "tEXt" && decode(data.subarray(0, KEYWORD.length + 1)) === `${KEYWORD}\0`) {
      return parse(decode(data.subarray(KEYWORD.length + 1)));
    }
    at += 12 + length;
  }
  return [];
}

function decode(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

function parse(text) {
  try {
    const found = JSON.parse(text);
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}
