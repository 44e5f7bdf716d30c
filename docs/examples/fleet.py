"""A small queue in front of several ComfyUI servers; explained in docs/fleet.md.

``python fleet.py http://10.0.0.1:8188 http://10.0.0.2:8188 < prompts.txt`` makes one image per
line. Standard library only.
"""

from __future__ import annotations

import copy
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Workflow = dict[str, Any]
HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """A workflow ended with an error; the text is the node's own message."""


class Fleet:
    """Send jobs to servers that run the same workflows, each with a separate data folder.

    One charge is promised per data folder. So every try of a job goes to the same server: a retry
    then finds the stored result, or the task that still runs.
    """

    def __init__(self, servers: Sequence[str], *, poll_s: float = 0.5, patience_s: float = 1800):
        self.servers = list(servers)
        self._poll_s = poll_s
        self._patience_s = patience_s

    def server_of(self, job: str) -> str:
        """Return the server whose data folder knows this job."""
        number = int.from_bytes(hashlib.sha256(job.encode()).digest()[:8], "big")
        return self.servers[number % len(self.servers)]

    def run(self, job: str, workflow: Workflow, *, server: str | None = None) -> dict[str, Any]:
        """Run a workflow to its end and return the outputs by node.

        If the server dies, wait until it runs again and queue the same workflow there. That is
        safe, because its data folder knows what was sent.

        Args:
            server: another server than the job's. Only for workflows that cost nothing.

        Raises:
            Failed: a node failed.
            TimeoutError: the server did not restart, or the workflow did not end, in time.
        """
        where = server or self.server_of(job)
        deadline = time.monotonic() + self._patience_s
        prompt_id = None
        while time.monotonic() < deadline:
            try:
                if prompt_id is None:
                    body = {"prompt": _shown_again(workflow)}
                    prompt_id = _ask(f"{where}/prompt", body)["prompt_id"]
                ended = _ask(f"{where}/history/{prompt_id}").get(prompt_id)
                if ended is not None:
                    return _outputs(ended)
                if not _is_queued(_ask(f"{where}/queue"), prompt_id):
                    # It ended between the two requests, or a restart dropped it.
                    ended = _ask(f"{where}/history/{prompt_id}").get(prompt_id)
                    if ended is not None:
                        return _outputs(ended)
                    prompt_id = None
                    continue
            except urllib.error.HTTPError as refused:
                with refused:
                    raise Failed(refused.read().decode("utf-8", "replace")) from None
            except OSError:
                pass  # the server is down or was cut off: its data folder knows what was sent
            time.sleep(self._poll_s)
        raise TimeoutError(f"{job} at {where}")

    def run_all(self, jobs: Mapping[str, Workflow]) -> dict[str, dict[str, Any] | Exception]:
        """Run many jobs, one at a time on each server; return errors in place of outputs."""
        results: dict[str, dict[str, Any] | Exception] = {}

        def work(server: str) -> None:
            for job, workflow in jobs.items():
                if self.server_of(job) == server:
                    try:
                        results[job] = self.run(job, workflow)
                    except (Failed, TimeoutError) as error:
                        results[job] = error

        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(work, self.servers))
        return results


def _ask(url: str, body: object = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def _shown_again(workflow: Workflow) -> Workflow:
    """Mark the last nodes of a workflow with this try.

    ComfyUI returns no outputs of cached nodes. An input that a node does not know makes it run
    again and is then dropped.
    """
    linked = {
        value[0]
        for node in workflow.values()
        for value in node["inputs"].values()
        if isinstance(value, list)
    }
    mark = uuid.uuid4().hex
    return {
        name: node if name in linked else {**node, "inputs": {**node["inputs"], "_try": mark}}
        for name, node in workflow.items()
    }


def _is_queued(queue: dict[str, Any], prompt_id: str) -> bool:
    waiting = [*queue["queue_running"], *queue["queue_pending"]]
    return any(item[1] == prompt_id for item in waiting)


def _outputs(ended: dict[str, Any]) -> dict[str, Any]:
    for kind, event in ended["status"]["messages"]:
        if kind == "execution_error":
            raise Failed(event["exception_message"])
    return ended["outputs"]


# ---- the workflows, in API format next to this file ----


def picture(prompt: str) -> Workflow:
    """Make an image from a prompt and a reference, and wait for it."""
    return _filled("fleet_picture.json", "2", prompt=prompt)


def submit(prompt: str) -> Workflow:
    """Submit the same request without waiting: the task id is known within seconds."""
    return _filled("fleet_submit.json", "2", prompt=prompt)


def collect(task_id: str) -> Workflow:
    """Fetch the images of a task, on any server and at no cost."""
    return _filled("fleet_collect.json", "1", task_id=task_id)


def _filled(file: str, node: str, **inputs: str) -> Workflow:
    workflow: Workflow = copy.deepcopy(json.loads((HERE / file).read_text("utf-8")))
    workflow[node]["inputs"].update(inputs)
    return workflow


def main(servers: Sequence[str]) -> int:
    prompts = [line.strip() for line in sys.stdin if line.strip()]
    results = Fleet(servers).run_all({prompt: picture(prompt) for prompt in prompts})
    for prompt, result in results.items():
        failed = isinstance(result, Exception)
        print(f"{prompt}: {result if failed else json.dumps(result)}")
    return 1 if any(isinstance(result, Exception) for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
