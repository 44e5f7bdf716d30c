// Which node of which workflow an event of the server is about.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const MOST = 200;
const workflows = new Map();

/** Remembers for each prompt which workflow was open when it was queued: ids repeat between them. */
export function rememberPrompts() {
  const queue = api.queuePrompt;
  api.queuePrompt = async function (...given) {
    const workflow = getOpenWorkflow();
    const response = await queue.apply(this, given);
    if (response?.prompt_id) workflows.set(response.prompt_id, workflow);
    if (workflows.size > MOST) workflows.delete(workflows.keys().next().value);
    return response;
  };
}

/** Tells whether a prompt was queued from the workflow that is open now. */
export function isOfOpenWorkflow(promptId) {
  if (!workflows.has(promptId)) return true; // queued before this page was loaded
  const [queued, now] = [workflows.get(promptId), getOpenWorkflow()];
  // Older frontends have no workflow until a second one is opened.
  if (!queued) return !now;
  const isKept = app.extensionManager.workflow.openWorkflows?.some((one) => one.path === queued.path);
  return !isKept || queued.path === now?.path; // one that is saved under another name is replaced
}

/** Finds a node by the id of an execution, such as "12:5" for node 5 in the subgraph of node 12. */
export function findNode(id) {
  let graph = app.rootGraph ?? app.graph;
  let node;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part) ?? graph?.getNodeById(Number(part));
    graph = node?.subgraph;
  }
  return node;
}

function getOpenWorkflow() {
  return app.extensionManager?.workflow?.activeWorkflow;
}
