"""A killed ComfyUI fetches what was paid for when it starts again, without a graph."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture, open_comfy
from support.comfy_server import ComfyServer
from support.fake_service import Status
from support.pack_routes import ask

TASKS = int(os.environ.get("RECOVERY_TASKS", "8"))
"""Each is a paid task; 50 take half a minute more."""
ALLOWED_S = 60.0


@pytest.fixture(scope="module")
def own_comfy(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        return boot_comfyui(environment={**environment, "SEEDREAM_RECOVER": "on"}, packs=packs)

    with open_comfy(tmp_path_factory.mktemp("recovery"), boot) as comfy:
        yield comfy


@pytest.fixture
def comfy(own_comfy: ComfyFixture) -> Iterator[ComfyFixture]:
    own_comfy.reset()
    yield own_comfy
    own_comfy.reset()


def read_rows(comfy: ComfyFixture, statement: str, *values: object) -> list[Any]:
    path = f"{(comfy.home / 'ledger.sqlite').as_uri()}?mode=rw"
    with closing(sqlite3.connect(path, uri=True, timeout=30)) as db:
        found = db.execute(statement, values).fetchall()
        db.commit()
    return found


def count_states(comfy: ComfyFixture) -> dict[str, int]:
    try:
        return dict(read_rows(comfy, "SELECT state, COUNT(*) FROM requests GROUP BY state"))
    except sqlite3.OperationalError:  # the pack has not made it yet
        return {}


def downloads(comfy: ComfyFixture) -> list[str]:
    paths = [request.path for request in comfy.sandbox.requests if request.method == "GET"]
    return [path for path in paths if path.startswith("/results/")]


def queue_tasks(comfy: ComfyFixture, prompt: str, count: int, *more: workflows.Node) -> None:
    generators = [*(workflows.evolink(prompt, seed=seed) for seed in range(count)), *more]
    graph = {str(number): node for number, node in enumerate(generators, start=1)}
    comfy.server.queue({**graph, **{f"look {name}": workflows.look(name) for name in graph}})


def test_killed_comfyui_recovers_without_a_graph(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    comfy.sandbox.faults.push("image", Status(503), times=10_000)
    at_once = [workflows.preferential(prompt, seed=seed) for seed in range(3)]
    queue_tasks(comfy, prompt, TASKS, *at_once)
    comfy.until(lambda: count_states(comfy) == {"accepted": TASKS, "answered": 3}, 120)
    comfy.server.kill()
    posts = len(comfy.posts(prompt))
    (first, dead, other), (lost, *_) = (
        [row for (row,) in read_rows(comfy, "SELECT id FROM requests WHERE state = ?", state)][:3]
        for state in ("accepted", "answered")
    )
    gone = f"{comfy.sandbox.url}/results/gone/0.png?sig=very-secret"
    read_rows(comfy, "UPDATE requests SET key_print = 'another' WHERE id = ?", other)
    read_rows(comfy, "UPDATE requests SET state = 'answered' WHERE id = ?", dead)
    read_rows(comfy, "INSERT INTO images (request, position, url) VALUES (?, 0, ?)", dead, gone)
    read_rows(comfy, "UPDATE images SET url = ?, url_seen_at = 1 WHERE request = ?", gone, lost)
    comfy.reset()

    comfy.server.start()
    expected = {"accepted": 1, "answered": 1, "completed": TASKS + 1}
    comfy.until(lambda: count_states(comfy) == expected, ALLOWED_S)
    comfy.until(lambda: comfy.server.events("seedream.recovered"))
    (event,) = comfy.server.events("seedream.recovered")
    assert event.data["images"] == TASKS + 1 and first in event.data["tasks"]
    assert event.data["other_key"] == [other] and list(event.data["failed"]) == [str(lost)]
    summary = ask(comfy.server, "/recovery").json()
    assert (summary["images"], summary["id"]) == (TASKS + 1, event.data["id"])
    assert len(comfy.posts(prompt)) == posts == TASKS + 3
    assert "very-secret" not in str(summary) + comfy.server.log


def test_two_comfyuis_on_one_ledger_fetch_each_image_once(
    comfy: ComfyFixture, boot_comfyui: Callable[..., ComfyServer], prompt: str
) -> None:
    comfy.clock.run(Clock.STOPPED)
    before = count_states(comfy)
    queue_tasks(comfy, prompt, TASKS)
    comfy.until(lambda: count_states(comfy)["accepted"] == before["accepted"] + TASKS, 120)
    comfy.server.kill()
    fetched = len(downloads(comfy))
    environment = {
        "DEEPSPACE_BASE_URL": comfy.sandbox.url,
        "DEEPSPACE_API_KEY": "sk-sandbox-free",
        "SEEDREAM_HOME": str(comfy.home),
        "SEEDREAM_RECOVER": "on",
    }
    second = boot_comfyui(environment=environment)
    comfy.server.start()
    comfy.clock.run(Clock.FLYING)
    servers = (comfy.server, second)
    threads = [threading.Thread(target=ask, args=(one, "/recovery", {})) for one in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ALLOWED_S)
    comfy.until(lambda: count_states(comfy)["completed"] == before["completed"] + TASKS)
    images = [ask(one, "/recovery").json()["images"] for one in servers]
    second.stop()
    new = [path for path in downloads(comfy)[fetched:] if "gone" not in path]
    assert len(new) == len(set(new)) == TASKS == sum(images), images
    assert len(comfy.posts(prompt)) == TASKS


def test_task_of_another_key_says_why_it_is_left(comfy: ComfyFixture) -> None:
    [(other,)] = read_rows(comfy, "SELECT id FROM requests WHERE key_print = 'another'")
    hint = ask(comfy.server, f"/tasks/{other}").json()["hint"]
    assert "Another key made this task" in hint["en"] and "其他密钥" in hint["zh"]
    [(done, *_)] = read_rows(comfy, "SELECT id FROM requests WHERE state = 'completed' LIMIT 1")
    assert ask(comfy.server, f"/tasks/{done}").json()["hint"] is None
