"""A real ComfyUI in which another pack has changed httpx, Pillow, logging, loops and process."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture, open_comfy, seen
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

NEIGHBOUR = "Another-Pack"


class Beside(ComfyFixture):
    """A ComfyUI that has loaded the hostile pack as well."""

    neighbour: Path

    def told(self) -> dict[str, Any]:
        return self.server.request("GET", "/neighbour").json()


@pytest.fixture(scope="module")
def shared(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Beside]:
    folder, own = tmp_path_factory.mktemp("beside"), tmp_path_factory.mktemp("neighbour")

    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        return boot_comfyui(
            environment={**environment, "NEIGHBOUR_HOME": str(own)},
            packs={**packs, NEIGHBOUR: PACK_ROOT / "tests" / "support" / "hostile_pack"},
        )

    with open_comfy(folder, boot) as comfy:
        beside = Beside(**vars(comfy))
        beside.neighbour = own
        yield beside


@pytest.fixture
def beside(shared: Beside) -> Iterator[Beside]:
    """Whatever a test does, the neighbour finds everything as it has left it."""
    shared.reset()
    before = shared.told()["stands"]
    assert len(before) > 8 and all(before.values()), before
    yield shared
    after = shared.told()["stands"]
    assert all(after.values()), after


def graph(prompt: str) -> dict[str, Any]:
    return {
        "1": workflows.evolink(f"{prompt} later"),
        "2": workflows.preferential(f"{prompt} at once", **{"images.image_1": ["9", 0]}),
        "3": workflows.look("1"),
        "4": workflows.look("2"),
        "5": workflows.load_urls(["1", 2]),
        "6": workflows.look("5"),
        "7": workflows.save("1"),
        "9": workflows.colour(200, 80, 20),
    }


def test_hostile_pack_does_not_change_images(
    beside: Beside, comfy: ComfyFixture, prompt: str
) -> None:
    undisturbed, outcome = comfy.run(graph(prompt)), beside.run(graph(prompt))
    for node in ("3", "4", "6"):
        assert seen(outcome, node) == seen(undisturbed, node) != []
    (saved,) = outcome.outputs["7"]["images"]
    assert beside.server.view(**saved).startswith(b"\x89PNG")
    assert len(beside.posts(prompt)) == 2 and beside.told()["passed"]["requests"] > 2


def test_retrying_pack_pays_nothing_twice(beside: Beside, prompt: str) -> None:
    from support.fake_service import DropAfterReceipt, Status

    for number, fault in enumerate((DropAfterReceipt(), Status(502, charged=True))):
        one = f"{prompt} {number}"
        beside.sandbox.faults.push("generate", fault)
        for _ in range(2):
            said = beside.fail({"1": workflows.evolink(one), "2": workflows.look("1")})
            assert "may have been charged" in said
        assert len(beside.posts(one)) == 1


def test_cancel_frees_graph_beside_pack_with_event_loops(beside: Beside, prompt: str) -> None:
    beside.clock.run(Clock.STOPPED)
    nodes = {"1": workflows.evolink(prompt), "2": workflows.look("1")}
    prompt_id = beside.queue_and_wait_for_post(nodes, prompt)
    beside.server.interrupt(prompt_id)
    assert beside.server.wait(prompt_id).status == "interrupted"
    beside.clock.run(Clock.FLYING)
    assert seen(beside.run(nodes), "2")
    assert len(beside.posts(prompt)) == 1


def test_nothing_secret_is_in_what_the_neighbour_logs(beside: Beside, prompt: str) -> None:
    from seedream_api.sandbox import SANDBOX_KEY

    beside.run(graph(prompt))
    log = (beside.neighbour / "log").read_text("utf-8")
    assert "seedream: " in log and "httpcore" in log, "it saw nothing of ours: this proves nothing"
    assert SANDBOX_KEY not in log and SANDBOX_KEY not in beside.server.log


@pytest.mark.skipif(os.name == "nt", reason="there rights are the profile's")
def test_files_stay_private_whatever_the_process_sets(beside: Beside, prompt: str) -> None:
    beside.run(graph(prompt))
    kept = [beside.home, *beside.home.rglob("*")]
    assert len(kept) > 5
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert [*(beside.neighbour / "elsewhere").iterdir()] == []
