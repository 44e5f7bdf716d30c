// The pack's routes. An error has its message in both languages.
import { api } from "../../scripts/api.js";
import { getLanguage } from "./i18n.js";

export class ApiError extends Error {
  constructor(error, status) {
    super(error[getLanguage()] ?? error.en);
    this.status = status;
  }
}

/** GET without a body, POST with one. Returns the JSON or throws `ApiError`. */
export async function call(path, body) {
  const options = { cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await api.fetchApi(`/seedream${path}`, options);
  let json = null;
  try {
    json = await response.json();
  } catch {
    // From a proxy in between, or a server that stopped: the status below says so.
  }
  if (response.ok && json !== null) return json;
  throw new ApiError(json?.error ?? { en: `HTTP ${response.status}`, zh: `HTTP ${response.status}` }, response.status);
}

/** POST of a change that decides what a run does: the estimates on the nodes are made again. */
export async function saveSettings(path, body) {
  const json = await call(path, body);
  window.dispatchEvent(new Event("seedream-settings"));
  return json;
}

/** The URL of a task's image on this server. */
export function imageUrl(task, position, thumbnail = false) {
  return api.apiURL(`/seedream/tasks/${task.id}/images/${position}${thumbnail ? "?thumbnail=1" : ""}`);
}

const TASK_EVENT = "seedream.task";
// ComfyUI logs an event without a listener as an error, and a closed panel has none.
api.addEventListener(TASK_EVENT, () => {});

/** Calls `listener` with each task of this server that changes. Returns a function that stops it. */
export function onTask(listener) {
  const handler = (event) => listener(event.detail);
  api.addEventListener(TASK_EVENT, handler);
  return () => api.removeEventListener(TASK_EVENT, handler);
}

let users = null;

/** Whether ComfyUI serves several users: it must not show one the runs of another. */
export async function hasSeveralUsers() {
  users ??= api.getUserConfig();
  return (await users).users !== undefined;
}
