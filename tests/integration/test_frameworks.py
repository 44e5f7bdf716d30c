"""The examples for FastAPI and Celery run in real servers and workers, as they are."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.api_client import ApiClient, until
from support.paths import PACK_ROOT

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

PREFIX = ("celery", "-A", "celery_task")
QUEUE = (*PREFIX, "call", "make_image", "--args", '["A cat"]')
WORKER = (
    *PREFIX, "worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO",
    "--without-gossip", "--without-mingle", "--", "worker_lost_wait=0.5",
)  # fmt: skip


def children_of(process: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(word) for word in listed.split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the child by /proc")
def test_celery_example_whose_process_is_killed_pays_once(
    api_client: ApiClient, tmp_path: Path
) -> None:
    """The process dies while the service works on the task, which the broker delivers again."""
    pytest.importorskip("celery")
    pytest.importorskip("sqlalchemy")
    broker = "sqla+sqlite:///broker.sqlite"
    with running(api_client, tmp_path, *QUEUE, BROKER_URL=broker) as (sender, _):
        assert sender.wait(60) == 0
    api_client.sandbox.hold()
    with running(api_client, tmp_path, *WORKER, BROKER_URL=broker) as (worker, read):
        until(lambda: api_client.sent == 1)
        api_client.sandbox.release_responses()
        until(lambda: api_client.states == ["accepted"])
        for child in children_of(worker):
            os.kill(child, signal.SIGKILL)
        until(lambda: "WorkerLostError" in read())
        api_client.sandbox.release()
        until(lambda: "succeeded" in read())
    saved = sorted(path.stem for path in (tmp_path / "out").iterdir())
    assert api_client.sent == 1 and saved == ["A cat-0-1"]
