"""Run the pack's own runtime as one worker of a soak, with stubs of ComfyUI's modules.

As in ComfyUI, one prompt runs at a time, on a new event loop that is closed after it, while paid
work runs on the pack's loop. A prompt is a line of JSON on stdin, its result a line on stdout. Time
runs ``SPEED`` times faster for everything that waits by the session's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import json
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SPEED = 25.0
QUIET_S = 3.0
"""How long to wait for the work behind a cancelled prompt before a sample is dropped."""


class InterruptProcessingException(BaseException):
    """As ComfyUI raises it since 0.20.0."""


def install_stub_modules(interrupt: threading.Event) -> None:
    """ComfyUI's modules, as far as ``nodes/host/runtime.py`` needs them."""
    states = type("State", (), {"update_progress": lambda *given: None})
    browser = {"send_progress_text": lambda *given: None, "send_sync": lambda *given: None}
    server = type("PromptServer", (), {"instance": type("Server", (), browser)()})
    given: dict[str, dict[str, Any]] = {
        "comfy": {},
        "comfy.cli_args": {"args": SimpleNamespace(multi_user=False)},
        "comfy.model_management": {
            "InterruptProcessingException": InterruptProcessingException,
            "processing_interrupted": interrupt.is_set,
        },
        "comfy_execution": {},
        "comfy_execution.progress": {"get_progress_state": states},
        "comfy_execution.utils": {"get_executing_context": lambda: None},
        "folder_paths": {},
        "pack.nodes.node_values": {"check_prompt": lambda *given: ()},
        "server": {"PromptServer": server},
    }
    for name, values in given.items():
        module = sys.modules[name] = ModuleType(name)
        vars(module).update(values)


def load_pack() -> None:
    """The pack's modules, without its ``__init__``, which needs ComfyUI."""
    for name, folder in (("pack", ROOT), ("pack.nodes", ROOT / "nodes")):
        module = sys.modules[name] = ModuleType(name)
        module.__path__ = [str(folder)]


interrupt = threading.Event()
install_stub_modules(interrupt)
load_pack()
runtime = importlib.import_module("pack.nodes.host.runtime")
api = importlib.import_module("pack.seedream_api")
sessions = importlib.import_module("pack.seedream_api.jobs.session")
opened: list[Any] = []


async def quickened(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED)


def remembered(settings: Any) -> Any:
    """A session whose clock is quick, and which can be asked what it still works on."""
    opened.append(session_of(settings))
    return opened[-1]


session_of = functools.partial(
    sessions.Session, clock=lambda: time.monotonic() * SPEED, sleep=quickened
)
sessions.Session = remembered


async def job_of(call: dict[str, Any], session: Any, tell: Any) -> Any:
    """What one node does."""
    if call["do"] == "forget":
        ledger = session.ledger
        with contextlib.suppress(ValueError):  # it is worked on, or forgotten already
            await ledger.forget(call["entry"])
        return None
    options = {"wait": call["wait"], "timeout_s": call["timeout_s"], "progress": tell}
    if call["do"] == "collect":
        return await api.collect(call["task_id"], session, **options)
    picture = call["picture"]
    references: tuple[Any, ...] = ()
    if picture is not None:
        references = (await asyncio.to_thread(api.file_reference, Path(picture), 1),)
    request = api.Request(**call["request"], references=references)
    return await api.generate(request, session, **options)


async def node(call: dict[str, Any], outcomes: list[dict[str, Any]], place: int) -> None:
    """Run one node and note how it ended; its failure is the prompt's."""
    caller = runtime.NodeProgress()
    try:
        result = await runtime.run(
            lambda session, tell: job_of(call, session, tell), caller, lambda *step: ""
        )
    except api.SeedreamError as error:
        entry = error.values.get("entry")
        outcomes[place] = {"status": error.status, "key": error.key, "task_id": error.task_id,
                           "entry": entry if isinstance(entry, int) else None}  # fmt: skip
        raise
    except InterruptProcessingException:
        outcomes[place] = {"status": "cancelled"}
        raise
    except Exception as error:
        outcomes[place] = {"status": "broken", "error": repr(error)}
        raise
    outcomes[place] = {"status": "forgotten"} if result is None else told(result)


def told(result: Any) -> dict[str, Any]:
    return {"status": result.status, "task_id": result.task_id, "entry": result.entry}


async def prompt(calls: list[dict[str, Any]], outcomes: list[dict[str, Any]], ends: bool) -> None:
    """All nodes at once. Where one fails, ComfyUI ends the prompt, and its loop with the others."""
    nodes = [asyncio.ensure_future(node(call, outcomes, place)) for place, call in enumerate(calls)]
    for one in nodes:
        one.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait(
        nodes, return_when=asyncio.FIRST_EXCEPTION if ends else asyncio.ALL_COMPLETED
    )


def perform(job: dict[str, Any]) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = [{"status": "cut off"} for _ in job["calls"]]
    interrupt.clear()
    cancel = threading.Timer(job["cancel_s"] or 0.0, interrupt.set)
    if job["cancel_s"] is not None:
        cancel.start()
    # Of two that are interrupted, the loop's own end may raise one.
    with contextlib.suppress(InterruptProcessingException):
        asyncio.run(prompt(job["calls"], outcomes, job["ends_with_failure"]))
    cancel.cancel()
    return outcomes


# ---- what this process holds on to ----


def sample() -> dict[str, int] | None:
    """Descriptors, threads, tasks, objects and memory, once nothing is under way; else None."""
    ends = time.monotonic() + QUIET_S
    while any(session.running_jobs for session in opened):
        if time.monotonic() > ends:
            return None
        time.sleep(0.02)
    time.sleep(0.05)  # closed connections are let go of a moment later
    gc.collect()
    found = {"tasks": len(asyncio.all_tasks(runtime.get_loop().loop))}
    found["threads"] = threading.active_count()
    found["objects"] = len(gc.get_objects())
    with contextlib.suppress(OSError):
        found["descriptors"] = len(list(Path("/proc/self/fd").iterdir()))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        found["memory_kib"] = pages * 4
    return found


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        answer = {"outcomes": perform(job), "sample": sample() if job["sample"] else None}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
