// Find the task of an image file: by the receipt in it, or by its content.
import { call } from "./api.js";

const KEYWORD = "seedream";
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47];
const HEAD_BYTES = 8;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/** Returns { receipts, task }: the receipts of a file, and its newest task in the ledger or null. */
export async function findTaskOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const receipts = readReceipts(bytes);
  for (const receipt of receipts) {
    const task = await findTask({ fingerprint: receipt.fingerprint }) ?? await findTask({ text: receipt.task_id });
    if (task) return { receipts, task };
  }
  return { receipts, task: await findTask({ content: await hash(bytes) }) };
}

async function findTask(conditions) {
  const [[name, value]] = Object.entries(conditions);
  if (typeof value !== "string" || !value) return null;
  const { tasks } = await call(`/tasks?${new URLSearchParams({ [name]: value, limit: 1 })}`);
  return tasks[0] ?? null;
}

/** Returns the receipts in the text chunks of a PNG; none for any other file. */
export function readReceipts(bytes) {
  if (SIGNATURE.some((byte, at) => bytes[at] !== byte)) return [];
  const view = new DataView(bytes.buffer);
  for (let at = HEAD_BYTES; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    const kind = decode(bytes.subarray(at + 4, at + 8));
    if (!["tEXt", "iTXt"].includes(kind) || length > MAX_TEXT_BYTES) continue;
    const text = readText(kind, bytes.subarray(at + 8, at + 8 + length));
    if (text !== null) return parse(text);
  }
  return [];
}

function readText(kind, data) {
  const end = data.indexOf(0);
  if (end < 0 || decode(data.subarray(0, end)) !== KEYWORD) return null;
  if (kind === "tEXt") return decode(data.subarray(end + 1));
  if (data[end + 1]) return null; // compressed
  const language = data.indexOf(0, end + 3);
  return new TextDecoder().decode(data.subarray(data.indexOf(0, language + 1) + 1));
}

function decode(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

function parse(text) {
  try {
    const found = JSON.parse(text);
    return (Array.isArray(found) ? found : []).filter((receipt) => receipt?.model);
  } catch {
    return []; // another program's text
  }
}

/** Returns the SHA-256 of bytes; null over plain http, where browsers offer none. */
async function hash(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
