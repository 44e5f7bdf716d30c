"""A real ComfyUI in which another pack has changed httpx, Pillow, logging, loops and process."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import graphs
import pytest
from host import ComfyServer
from studio import Clock, Studio, open_studio, seen

NEIGHBOUR = "Another-Pack"


class Beside(Studio):
    """A studio whose server has loaded the neighbour as well."""

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
            packs={**packs, NEIGHBOUR: Path(__file__).with_name("neighbour")},
        )

    with open_studio(folder, boot) as studio:
        beside = Beside(**vars(studio))
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


def graph(wish: str) -> dict[str, Any]:
    return {
        "1": graphs.evolink(f"{wish} later"),
        "2": graphs.preferential(f"{wish} at once", **{"images.image_1": ["9", 0]}),
        "3": graphs.look("1"),
        "4": graphs.look("2"),
        "5": graphs.load_urls(["1", 2]),
        "6": graphs.look("5"),
        "7": graphs.save("1"),
        "9": graphs.colour(200, 80, 20),
    }


def test_beside_a_neighbour_that_changes_everything_the_images_are_the_same(
    beside: Beside, studio: Studio, wish: str
) -> None:
    undisturbed, outcome = studio.run(graph(wish)), beside.run(graph(wish))
    for node in ("3", "4", "6"):
        assert seen(outcome, node) == seen(undisturbed, node) != []
    (saved,) = outcome.outputs["7"]["images"]
    assert beside.server.view(**saved).startswith(b"\x89PNG")
    assert len(beside.posts(wish)) == 2 and beside.told()["passed"]["requests"] > 2


def test_a_neighbour_that_sends_again_what_fails_pays_nothing_twice(
    beside: Beside, wish: str
) -> None:
    from support.fake_service import DropAfterReceipt, Status

    for number, fault in enumerate((DropAfterReceipt(), Status(502, charged=True))):
        one = f"{wish} {number}"
        beside.sandbox.faults.push("generate", fault)
        for _ in range(2):
            said = beside.fail({"1": graphs.evolink(one), "2": graphs.look("1")})
            assert "may have been charged" in said
        assert len(beside.posts(one)) == 1


def test_cancel_frees_the_graph_beside_a_neighbour_with_loops_of_its_own(
    beside: Beside, wish: str
) -> None:
    beside.clock.run(Clock.STOPPED)
    prompt = {"1": graphs.evolink(wish), "2": graphs.look("1")}
    prompt_id = beside.queue_and_wait_for_post(prompt, wish)
    beside.server.interrupt(prompt_id)
    assert beside.server.wait(prompt_id).status == "interrupted"
    beside.clock.run(Clock.FLYING)
    assert seen(beside.run(prompt), "2")
    assert len(beside.posts(wish)) == 1


def test_nothing_secret_is_in_what_the_neighbour_logs(beside: Beside, wish: str) -> None:
    from seedream_api.sandbox import SANDBOX_KEY

    beside.run(graph(wish))
    log = (beside.neighbour / "log").read_text("utf-8")
    assert "seedream: " in log and "httpcore" in log, "it saw nothing of ours: this proves nothing"
    assert SANDBOX_KEY not in log and SANDBOX_KEY not in beside.server.log


@pytest.mark.skipif(os.name == "nt", reason="there rights are the profile's")
def test_files_are_the_owners_alone_and_where_they_belong_whatever_the_process_says(
    beside: Beside, wish: str
) -> None:
    beside.run(graph(wish))
    kept = [beside.home, *beside.home.rglob("*")]
    assert len(kept) > 5
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert [*(beside.neighbour / "elsewhere").iterdir()] == []
