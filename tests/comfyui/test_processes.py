"""The pack's loop where processes begin and end: forked children, and signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Studio, open_studio, seen
from support.comfy_server import ComfyServer
from support.forking_pack import FOLDER, write_forking
from support.pack_routes import ask

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no fork and no SIGTERM")
SLACK_S = 2.0
"""More than a busy machine adds to a child's end, and less than waiting for a loop that is not
there, which took 6 s."""


@pytest.fixture(scope="module")
def own_studio(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    neighbour = write_forking(tmp_path_factory.mktemp("forking"))

    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        return boot_comfyui(environment=environment, packs={**packs, FOLDER: neighbour})

    with open_studio(tmp_path_factory.mktemp("processes"), boot) as studio:
        yield studio


@pytest.fixture
def studio(own_studio: Studio) -> Iterator[Studio]:
    own_studio.reset()
    yield own_studio
    own_studio.reset()
    if own_studio.server.process is None:
        own_studio.server.start()


def forks(studio: Studio, nonce: str) -> dict[str, Any]:
    graph = {"1": {"class_type": "Forks", "inputs": {"nonce": nonce}}}
    (told,) = seen(studio.run(graph, timeout=120), "1")
    return told


def test_children_of_a_neighbour_end_as_without_the_pack(studio: Studio, wish: str) -> None:
    before, logged = forks(studio, "before the pack's loop runs"), len(studio.server.log)
    assert ask(studio.server, "/tasks").status == 200
    assert seen(studio.run({"1": workflows.evolink(wish), "2": workflows.look("1")}), "2")
    after = forks(studio, "after the panel was opened")
    for way, told in after.items():
        assert set(told["codes"]) == {0}, (way, told)
        assert told["seconds"] < before[way]["seconds"] + SLACK_S, (way, told, before[way])
    again = studio.run({"1": workflows.evolink(f"{wish} next"), "2": workflows.look("1")})
    assert seen(again, "2") and len(studio.posts(wish)) == 2
    assert "Traceback" not in studio.server.log[logged:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_comfyui_after_what_was_sent(
    studio: Studio, wish: str, number: signal.Signals
) -> None:
    graph = {"1": workflows.preferential(wish), "2": workflows.look("1")}
    studio.sandbox.hold()
    studio.queue_and_wait_for_post(graph, wish)
    process = studio.server.process
    assert process is not None
    threading.Timer(1.0, studio.sandbox.release).start()
    process.send_signal(number)
    assert process.wait(20) in (0, -signal.SIGINT, 130), "as after Ctrl-C"
    studio.server.kill()
    studio.server.start()
    assert seen(studio.run(graph), "2")
    assert len(studio.posts(wish)) == 1, "what came was written down"


def test_a_second_signal_ends_comfyui_at_once(studio: Studio, wish: str) -> None:
    graph = {"1": workflows.preferential(wish), "2": workflows.look("1")}
    studio.sandbox.hold()
    studio.queue_and_wait_for_post(graph, wish)
    process = studio.server.process
    assert process is not None
    stopped = studio.server.log.count("Stopped server")
    process.send_signal(signal.SIGTERM)
    studio.until(lambda: studio.server.log.count("Stopped server") > stopped)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    studio.server.kill()
