// The pack's routes. An error carries its sentence in both languages.
import { api } from "../../scripts/api.js";
import { language } from "./words.js";

export class Refused extends Error {
  constructor(error, status) {
    super(error[language()] ?? error.en);
    this.status = status;
  }
}

/** GET without a body, POST with one; gives the JSON, or throws `Refused`. */
export async function call(path, body) {
  const options = { cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await api.fetchApi(`/seedream${path}`, options);
  let json = null;
  try {
    json = await answer.json();
  } catch {
    // A proxy in between, or a server that stopped: told by the status below.
  }
  if (answer.ok && json !== null) return json;
  throw new Refused(json?.error ?? { en: `HTTP ${answer.status}`, zh: `HTTP ${answer.status}` }, answer.status);
}

/** The address of a task's image on this server. */
export function imageAddress(task, position, thumbnail = false) {
  return api.apiURL(`/seedream/tasks/${task.id}/images/${position}${thumbnail ? "?thumbnail=1" : ""}`);
}

const MOVED = "seedream.task";
// While the panel is closed nobody listens, and ComfyUI logs an unknown message as an error.
api.addEventListener(MOVED, () => {});

/** Calls `listener` with each task of this server that moves. */
export function onTask(listener) {
  const told = (event) => listener(event.detail);
  api.addEventListener(MOVED, told);
  return () => api.removeEventListener(MOVED, told);
}
