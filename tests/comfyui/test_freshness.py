"""ComfyUI's cache hides no run that lacks something, and keeps those that are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphs
import pytest
from events import Outcome
from pictures_host import PicturesHost, png
from studio import Studio, seen, shown

RED, GREEN = (250, 0, 0), (0, 250, 0)


@pytest.fixture
def host(studio: Studio) -> Iterator[PicturesHost]:
    with PicturesHost().serving() as host, studio.settings(SEEDREAM_ALLOW_HOSTS=host.netloc):
        yield host


def with_views(node: dict[str, Any], report: int) -> dict[str, Any]:
    return {"1": node, "2": graphs.look("1", 0), "3": graphs.show("1", report)}


def statuses(outcome: Outcome) -> list[str]:
    return sorted(image["status"] for image in json.loads(shown(outcome, "3"))["images"])


def stored(studio: Studio) -> set[Path]:
    return {one for one in (studio.home / "images").rglob("*") if one.is_file()}


def settles(studio: Studio, graph: dict[str, Any]) -> Outcome:
    """Run what is whole now until ComfyUI keeps it, which takes one more run at most."""
    outcome = studio.run(graph)
    studio.run(graph)
    assert studio.run(graph).executed == set(), "now ComfyUI may keep it"
    return outcome


@pytest.mark.parametrize("make", [graphs.evolink, graphs.poll])
def test_a_group_whose_download_failed_is_fetched_again(
    studio: Studio, wish: str, make: Any
) -> None:
    from support.fake_service import ExpiredLink

    node = graphs.evolink(f"{wish} a series of 3 images", n=3)
    if make is graphs.poll:
        submit = {**node, "inputs": {**node["inputs"], "wait": False}}
        task = studio.run({"1": submit, "2": graphs.show("1", 3)})
        node = graphs.poll(shown(task, "2"))
    graph = with_views(node, 4)
    studio.sandbox.faults.push("image", ExpiredLink(), times=1000)
    first = studio.server.run(graph)
    studio.sandbox.faults.clear()
    if first.status == "success":
        assert "failed" in statuses(first)
    assert statuses(settles(studio, graph)) == ["ok"] * 3
    assert len(studio.posts(wish)) == 1


def test_a_stored_file_that_is_gone_is_fetched_again(studio: Studio, wish: str) -> None:
    graph = with_views(graphs.evolink(wish), 4)
    before = stored(studio)
    settles(studio, graph)
    (file,) = stored(studio) - before
    file.unlink()
    assert "1" in studio.run(graph).executed and file.is_file()
    assert len(studio.posts(wish)) == 1


def test_with_reuse_off_a_stored_part_starts_no_new_charge(studio: Studio, wish: str) -> None:
    from support.fake_service import Status

    broken = b"\x89PNG\r\n\x1a\n" + bytes(64) + b"IEND\xaeB`\x82"
    graph = with_views(graphs.evolink(f"{wish} a series of 2 images", n=2), 4)
    with studio.settings(SEEDREAM_REUSE="off"):
        studio.sandbox.faults.push("image", Status(200, broken), times=1000)
        first = studio.server.run(graph)
        studio.sandbox.faults.clear()
        assert first.status != "success" or "ok" not in statuses(first)
        assert statuses(studio.run(graph)) == ["ok", "ok"]
    assert len(studio.posts(wish)) == 1


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_new_content_at_an_address_is_loaded(
    studio: Studio, host: PicturesHost, on_error: str
) -> None:
    graph = with_views(graphs.load_urls(host.put("a.png", png((8, 8), RED)), on_error=on_error), 3)
    assert round(seen(settles(studio, graph), "2")[0]["middles"][0][1]) == 0
    host.put("a.png", png((8, 8), GREEN))
    assert round(seen(settles(studio, graph), "2")[0]["middles"][0][1]) == 1
    del host.files["/a.png"]
    assert studio.run(graph).executed == set(), "an address that fails now hides no picture"


def test_new_content_at_a_linked_address_is_loaded(studio: Studio, host: PicturesHost) -> None:
    url = host.put("b.png", png((8, 8), RED))
    graph = {"9": graphs.text(url, "linked"), **with_views(graphs.load_urls(["9", 0]), 3)}
    settles(studio, graph)
    host.put("b.png", png((8, 8), GREEN))
    assert round(seen(studio.run(graph), "2")[0]["middles"][0][1]) == 1
