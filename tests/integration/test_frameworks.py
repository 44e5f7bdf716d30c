"""The examples for FastAPI, Celery and Dask run in real servers and workers, as they are."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from support.api_client import ApiClient, until
from support.celery_worker import Worker, open_client, wait_for
from support.paths import PACK_ROOT
from support.redis_server import RedisServer

EXAMPLES = PACK_ROOT / "examples"


@contextlib.contextmanager
def running(
    client: ApiClient, folder: Path, *words: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """Run a Python module as a process in a folder; yield it and what it has logged so far."""
    log = folder / f"{words[0]}-{len(words)}.log"
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    paths = os.pathsep.join([str(EXAMPLES), str(PACK_ROOT)])
    with log.open("w") as opened:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**inherited, **client.environ, "PYTHONPATH": paths, **environ},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process, lambda: log.read_text("utf-8")
        except BaseException:
            print(log.read_text("utf-8"))  # noqa: T201 - pytest shows it with the failure
            raise
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


# ---- FastAPI ----


@contextlib.contextmanager
def served(client: ApiClient, folder: Path) -> Iterator[str]:
    folder.mkdir()
    with running(client, folder, "uvicorn", "fastapi_app:app", "--port", "0") as (_, read):
        address = re.compile(r"running on (http://\S+)")
        until(lambda: address.search(read()))
        found = address.search(read())
        assert found is not None
        yield found[1]


def post(url: str, **order: Any) -> httpx.Response:
    return httpx.post(f"{url}/images", json=order, timeout=60, trust_env=False)


def test_fastapi_example_pays_once_for_equal_requests(
    api_client: ApiClient, tmp_path: Path
) -> None:
    """Two servers with one data folder, two requests to each at the same time."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    with (
        served(api_client, tmp_path / "first") as first,
        served(api_client, tmp_path / "second") as second,
        ThreadPoolExecutor(4) as pool,
    ):
        replies = [*pool.map(lambda url: post(url, prompt="A cat"), [first, second] * 2)]
        refused = post(first, prompt="A cat", model="nothing")
    assert [reply.status_code for reply in replies] == [200] * 4
    images = {json.dumps([one["sha256"] for one in reply.json()["images"]]) for reply in replies}
    assert api_client.sent == 1 and len(images) == 1
    assert refused.status_code == 422 and refused.json()["detail"]["charge"] == "none"


# ---- Celery ----


def test_celery_example_whose_process_is_killed_pays_once(
    api_client: ApiClient, tmp_path: Path, redis: RedisServer
) -> None:
    """The process dies while the service works on the task, which the broker delivers again."""
    pytest.importorskip("celery")
    broker = redis.new_url()
    environ = {**api_client.environ, "BROKER_URL": broker, "RESULT_URL": broker}
    machine = Worker(tmp_path / "machine", "celery_task", environ, processes=1)
    api_client.sandbox.hold()
    with open_client(broker) as client:
        result = client.send_task("make_image", args=["A cat"])
        machine.start()
        try:
            until(lambda: api_client.sent == 1)
            api_client.sandbox.release_responses()
            until(lambda: api_client.states == ["accepted"])
            machine.kill_child()
            until(lambda: "WorkerLostError" in machine.log)
            api_client.sandbox.release()
            wait_for([result])
        finally:
            machine.kill()
        [path] = result.result
    assert api_client.sent == 1 and Path(path).stem == "A cat-0-1" and Path(path).is_file()


def test_celery_examples_retry_exactly_what_costs_nothing() -> None:
    pytest.importorskip("celery")
    for_tasks, for_workflows = (
        runpy.run_path(str(EXAMPLES / f"celery_{name}.py")) for name in ("task", "comfyui")
    )
    assert {error.__name__ for error in for_tasks["FREE"]} == for_workflows["FREE"]
    for error, raised in (("LedgerFailed", "TryAgain"), ("OutcomeUnknown", "WorkflowFailed")):
        event = {"exception_type": f"pack.errors.{error}", "exception_message": "why"}
        with pytest.raises(for_workflows[raised], match="why"):
            for_workflows["read_outputs"]({"status": {"messages": [("execution_error", event)]}})


# ---- Dask ----


def test_dask_example_whose_workers_are_killed_pays_once(
    api_client: ApiClient, tmp_path: Path
) -> None:
    """The workers die while the service works on a row, which another worker runs again."""
    pytest.importorskip("distributed")
    table = tmp_path / "prompts.csv"
    table.write_text('prompt\nA cat\n""\n', "utf-8")
    api_client.sandbox.hold()
    with running(api_client, tmp_path, "dask_table", str(table)) as (main, _):
        until(lambda: api_client.sent)
        api_client.sandbox.release_responses()
        until(lambda: "accepted" in api_client.states)
        children = psutil.Process(main.pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert workers
        for worker in workers:
            worker.kill()
        api_client.sandbox.release()
        assert main.wait(60) == 1
    with (tmp_path / "images.csv").open(encoding="utf-8") as file:
        cat, empty = csv.DictReader(file)
    assert api_client.sent == 1 and Path(cat["images"]).is_file()
    assert "prompt is empty" in empty["error"]
