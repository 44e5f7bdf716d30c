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
from support.comfy_fixture import ComfyFixture, open_comfy, seen
from support.comfy_server import ComfyServer
from support.forking_pack import FOLDER, write_forking
from support.pack_routes import ask

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no fork and no SIGTERM")
SLACK_S = 2.0
"""More than a busy machine adds to a child's end, and less than waiting for a loop that is not
there, which took 6 s."""


@pytest.fixture(scope="module")
def own_comfy(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    neighbour = write_forking(tmp_path_factory.mktemp("forking"))

    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        return boot_comfyui(environment=environment, packs={**packs, FOLDER: neighbour})

    with open_comfy(tmp_path_factory.mktemp("processes"), boot) as comfy:
        yield comfy


@pytest.fixture
def comfy(own_comfy: ComfyFixture) -> Iterator[ComfyFixture]:
    own_comfy.reset()
    yield own_comfy
    own_comfy.reset()
    if own_comfy.server.process is None:
        own_comfy.server.start()


def forks(comfy: ComfyFixture, nonce: str) -> dict[str, Any]:
    graph = {"1": {"class_type": "Forks", "inputs": {"nonce": nonce}}}
    (told,) = seen(comfy.run(graph, timeout=120), "1")
    return told


def test_children_of_a_neighbour_end_as_without_the_pack(comfy: ComfyFixture, prompt: str) -> None:
    before, logged = forks(comfy, "before the pack's loop runs"), len(comfy.server.log)
    assert ask(comfy.server, "/tasks").status == 200
    assert seen(comfy.run({"1": workflows.evolink(prompt), "2": workflows.look("1")}), "2")
    after = forks(comfy, "after the panel was opened")
    for way, told in after.items():
        assert set(told["codes"]) == {0}, (way, told)
        assert told["seconds"] < before[way]["seconds"] + SLACK_S, (way, told, before[way])
    again = comfy.run({"1": workflows.evolink(f"{prompt} next"), "2": workflows.look("1")})
    assert seen(again, "2") and len(comfy.posts(prompt)) == 2
    assert "Traceback" not in comfy.server.log[logged:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_comfyui_after_what_was_sent(
    comfy: ComfyFixture, prompt: str, number: signal.Signals
) -> None:
    graph = {"1": workflows.preferential(prompt), "2": workflows.look("1")}
    comfy.sandbox.hold()
    comfy.queue_and_wait_for_post(graph, prompt)
    process = comfy.server.process
    assert process is not None
    threading.Timer(1.0, comfy.sandbox.release).start()
    process.send_signal(number)
    assert process.wait(20) in (0, -signal.SIGINT, 130), "as after Ctrl-C"
    comfy.server.kill()
    comfy.server.start()
    assert seen(comfy.run(graph), "2")
    assert len(comfy.posts(prompt)) == 1, "what came was written down"


def test_second_signal_ends_comfyui_at_once(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"1": workflows.preferential(prompt), "2": workflows.look("1")}
    comfy.sandbox.hold()
    comfy.queue_and_wait_for_post(graph, prompt)
    process = comfy.server.process
    assert process is not None
    stopped = comfy.server.log.count("Stopped server")
    process.send_signal(signal.SIGTERM)
    comfy.until(lambda: comfy.server.log.count("Stopped server") > stopped)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    comfy.server.kill()
