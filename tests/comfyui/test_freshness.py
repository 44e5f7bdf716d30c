"""ComfyUI's cache hides no run that lacks something, and keeps those that are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_events import Outcome
from support.comfy_fixture import ComfyFixture, seen, shown
from support.image_server import ImageServer, png

RED, GREEN = (250, 0, 0), (0, 250, 0)


@pytest.fixture
def host(comfy: ComfyFixture) -> Iterator[ImageServer]:
    with ImageServer().serving() as host, comfy.settings(SEEDREAM_ALLOW_HOSTS=host.netloc):
        yield host


def with_views(node: dict[str, Any], report: int) -> dict[str, Any]:
    return {"1": node, "2": workflows.look("1", 0), "3": workflows.show("1", report)}


def statuses(outcome: Outcome) -> list[str]:
    return sorted(image["status"] for image in json.loads(shown(outcome, "3"))["images"])


def stored(comfy: ComfyFixture) -> set[Path]:
    return {one for one in (comfy.home / "images").rglob("*") if one.is_file()}


def settles(comfy: ComfyFixture, graph: dict[str, Any]) -> Outcome:
    """Run what is whole now until ComfyUI keeps it, which takes one more run at most."""
    outcome = comfy.run(graph)
    comfy.run(graph)
    assert comfy.run(graph).executed == set(), "now ComfyUI may keep it"
    return outcome


@pytest.mark.parametrize("make", [workflows.evolink, workflows.poll])
def test_group_whose_download_failed_is_fetched_again(
    comfy: ComfyFixture, prompt: str, make: Any
) -> None:
    from support.fake_service import ExpiredLink

    node = workflows.evolink(f"{prompt} a series of 3 images", n=3)
    if make is workflows.poll:
        submit = {**node, "inputs": {**node["inputs"], "wait": False}}
        task = comfy.run({"1": submit, "2": workflows.show("1", 3)})
        node = workflows.poll(shown(task, "2"))
    graph = with_views(node, 4)
    comfy.sandbox.faults.push("image", ExpiredLink(), times=1000)
    first = comfy.server.run(graph)
    comfy.sandbox.faults.clear()
    if first.status == "success":
        assert "failed" in statuses(first)
    assert statuses(settles(comfy, graph)) == ["ok"] * 3
    assert len(comfy.posts(prompt)) == 1


def test_stored_file_that_is_gone_is_fetched_again(comfy: ComfyFixture, prompt: str) -> None:
    graph = with_views(workflows.evolink(prompt), 4)
    before = stored(comfy)
    settles(comfy, graph)
    (file,) = stored(comfy) - before
    file.unlink()
    assert "1" in comfy.run(graph).executed and file.is_file()
    assert len(comfy.posts(prompt)) == 1


def test_with_reuse_off_a_stored_part_starts_no_new_charge(
    comfy: ComfyFixture, prompt: str
) -> None:
    from support.fake_service import Status

    broken = b"\x89PNG\r\n\x1a\n" + bytes(64) + b"IEND\xaeB`\x82"
    graph = with_views(workflows.evolink(f"{prompt} a series of 2 images", n=2), 4)
    with comfy.settings(SEEDREAM_REUSE="off"):
        comfy.sandbox.faults.push("image", Status(200, broken), times=1000)
        first = comfy.server.run(graph)
        comfy.sandbox.faults.clear()
        assert first.status != "success" or "ok" not in statuses(first)
        assert statuses(comfy.run(graph)) == ["ok", "ok"]
    assert len(comfy.posts(prompt)) == 1


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_new_content_at_an_address_is_loaded(
    comfy: ComfyFixture, host: ImageServer, on_error: str
) -> None:
    graph = with_views(
        workflows.load_urls(host.put("a.png", png((8, 8), RED)), on_error=on_error), 3
    )
    assert round(seen(settles(comfy, graph), "2")[0]["middles"][0][1]) == 0
    host.put("a.png", png((8, 8), GREEN))
    assert round(seen(settles(comfy, graph), "2")[0]["middles"][0][1]) == 1
    del host.files["/a.png"]
    assert comfy.run(graph).executed == set(), "an address that fails now hides no picture"


def test_new_content_at_a_linked_address_is_loaded(comfy: ComfyFixture, host: ImageServer) -> None:
    url = host.put("b.png", png((8, 8), RED))
    graph = {"9": workflows.text(url, "linked"), **with_views(workflows.load_urls(["9", 0]), 3)}
    settles(comfy, graph)
    host.put("b.png", png((8, 8), GREEN))
    assert round(seen(comfy.run(graph), "2")[0]["middles"][0][1]) == 1
