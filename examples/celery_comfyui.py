"""Workflows on any of several ComfyUI servers: ``celery -A celery_comfyui worker``.

``COMFYUI_SERVERS`` lists their addresses. A task runs a workflow in API format on the least busy
server that responds. If that server dies, the task runs again on another one, which costs nothing
where all servers share one ledger (``SEEDREAM_LEDGER``): it continues the task that the first one
has paid for. Queue a workflow with ``task.delay(workflow)``.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

from celery import Celery

Workflow = dict[str, Any]

SERVERS = os.environ.get("COMFYUI_SERVERS", "http://127.0.0.1:8188").split()
POLL_S = 0.5
FREE = {"LedgerFailed", "NotSent", "RateLimited", "ReadFailed", "ServiceBusy", "WaitTimedOut"}
"""Errors of a node after which running it again is free, or pays for the first time."""


class WorkflowFailed(Exception):
    """A workflow is invalid, or a node failed; the text is the node's own message."""


class TryAgain(Exception):
    """A server was lost, or a node failed for a reason that passes."""


def run_workflow(workflow: Workflow) -> dict[str, Any]:
    """Run a workflow on one of the servers.

    Returns:
        The server, whose output folder has the images, and the outputs by node.

    Raises:
        WorkflowFailed: running it again would not help.
        TryAgain, OSError: another try may be on another server.
    """
    server = choose_server()
    prompt_id = ask(f"{server}/prompt", {"prompt": mark_outputs(workflow)})["prompt_id"]
    while True:
        queued = is_queued(server, prompt_id)
        ended = ask(f"{server}/history/{prompt_id}").get(prompt_id)
        if ended is not None:
            return {"server": server, "outputs": read_outputs(ended)}
        if not queued:
            raise TryAgain(f"{server} was restarted")
        time.sleep(POLL_S)


def choose_server() -> str:
    """Return the server with the shortest queue among those that respond."""
    lengths: dict[str, int] = {}
    for server in SERVERS:
        with contextlib.suppress(OSError, TryAgain):
            queue = ask(f"{server}/queue")
            lengths[server] = len(queue["queue_running"]) + len(queue["queue_pending"])
    if not lengths:
        raise TryAgain("no server responds")
    return min(lengths, key=lambda server: (lengths[server], random.random()))


def is_queued(server: str, prompt_id: str) -> bool:
    queue = ask(f"{server}/queue")
    return any(item[1] == prompt_id for item in queue["queue_running"] + queue["queue_pending"])


def mark_outputs(workflow: Workflow) -> Workflow:
    """Mark the last nodes of a workflow with this try.

    A server may return no outputs of nodes that it ran before. An input that a node does not know
    makes it run again and is then dropped.
    """
    values = [value for node in workflow.values() for value in node["inputs"].values()]
    linked = {value[0] for value in values if isinstance(value, list)}
    mark = {"_try": uuid.uuid4().hex}
    return {
        name: node if name in linked else {**node, "inputs": {**node["inputs"], **mark}}
        for name, node in workflow.items()
    }


def read_outputs(ended: dict[str, Any]) -> dict[str, Any]:
    for kind, event in ended["status"]["messages"]:
        if kind == "execution_error":
            passes = event["exception_type"].rpartition(".")[2] in FREE
            raise (TryAgain if passes else WorkflowFailed)(event["exception_message"])
    outputs: dict[str, Any] = ended["outputs"]
    return outputs


def ask(url: str, body: object = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            found: dict[str, Any] = json.load(response)
            return found
    except urllib.error.HTTPError as refused:
        with refused:
            said = refused.read().decode("utf-8", "replace")
        raise (WorkflowFailed if refused.code == 400 else TryAgain)(said) from None
    except (http.client.HTTPException, ValueError) as torn:  # the server died while it responded
        raise TryAgain(f"{url}: {torn!r}") from None


app = Celery(
    "workflows",
    broker=os.environ.get("BROKER_URL", "memory://"),
    backend=os.environ.get("RESULT_URL"),
)
app.conf.worker_prefetch_multiplier = 1
# See celery_task.py; longer than a workflow usually takes.
app.conf.broker_transport_options = {"visibility_timeout": 1800}
task = app.task(
    run_workflow,
    name="run_workflow",
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(OSError, TryAgain),
    retry_backoff=True,
    retry_backoff_max=60,
    max_retries=20,
)
