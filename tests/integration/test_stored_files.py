"""Stored files that are lost, damaged or edited: fetched again, never handed out as they are."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api import Origin, ResultUnavailable, SeedreamError, Session
from seedream_api.jobs.load_urls import load_urls
from support.fake_service import ExpiredLink, Status
from support.stored_kit import (
    LATER_40,
    NOW_5,
    TWO_DAYS_S,
    UNDECODABLE,
    cut,
    empty,
)


def remove(path: Path) -> None:
    path.unlink()


def fill_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def edit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [remove, empty, cut, fill_with_zeros, lengthen, edit, replace_by_folder]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_damaged_stored_file_is_fetched_again(
    api_client: Any, model: str, damage: Callable[[Path], None]
) -> None:
    first = api_client.generate(model=model).images[0]
    whole = first.path.read_bytes()
    damage(first.path)
    again = api_client.generate(model=model)
    assert again.images[0].sha256 == first.sha256 and again.origin is Origin.STORED
    assert again.images[0].path.read_bytes() == whole
    assert (api_client.sent, api_client.states) == (1, ["completed"])


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_that_cannot_be_fetched_is_not_handed_out(
    api_client: Any, damage: Callable[[Path], None]
) -> None:
    damage(api_client.generate(model=NOW_5).images[0].path)
    api_client.clock.at += TWO_DAYS_S
    api_client.sandbox.faults.push("image", ExpiredLink(), times=1000)
    for _ in range(2):
        with pytest.raises(ResultUnavailable) as caught:
            api_client.generate(model=NOW_5)
        assert caught.value.key == "result_gone" and caught.value.may_have_been_charged
    assert api_client.sent == 1


def test_edited_file_is_set_aside_and_not_deleted(api_client: Any) -> None:
    image = api_client.generate(model=NOW_5).images[0]
    edit(image.path)
    edited = image.path.read_bytes()
    api_client.generate(model=NOW_5)
    kept = list((api_client.home / "images" / "damaged").iterdir())
    assert [path.read_bytes() for path in kept] == [edited]
    ran = api_client.inside("tasks", "--prune", "--json")
    assert ran.code == 0 and kept[0].exists()


def test_damaged_image_of_unfinished_group_is_fetched_too(api_client: Any) -> None:
    group = {"prompt": "3 images of a cat", "n": 3}
    api_client.sandbox.faults.push("image", ExpiredLink(410), times=4)
    first = api_client.generate(**group)
    assert api_client.states == ["answered"] and 1 <= len(first.images) < 3
    for image in first.images:
        empty(image.path)
    again = api_client.generate(**group)
    assert len(again.images) == 3 and api_client.sent == 1
    assert all(image.path.stat().st_size == image.bytes for image in again.images)


def test_url_of_damaged_stored_image_is_loaded_from_its_host(
    api_client: Any, tmp_path: Path
) -> None:
    image = api_client.generate(model=NOW_5).images[0]
    fill_with_zeros(image.path)

    async def load(session: Session) -> Any:
        return await load_urls([image.url], session, tmp_path)

    [loaded] = api_client.run(load, SEEDREAM_ALLOW_HOSTS="127.0.0.1")
    assert loaded.path is not None and not loaded.from_store
    assert loaded.path.stat().st_size == image.bytes


@pytest.mark.parametrize("data", UNDECODABLE)
def test_undecodable_image_is_fetched_by_a_fresh_link(api_client: Any, data: bytes) -> None:
    api_client.sandbox.faults.push(
        "image", Status(200, data), times=2 if data[:2] == b"\xff\xd8" else 1
    )
    image = api_client.generate(model=LATER_40).images[0]
    assert image.width > 0 and image.bytes > len(data) and api_client.sent == 1


@pytest.mark.parametrize("data", UNDECODABLE)
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_undecodable_image_is_never_called_made(api_client: Any, model: str, data: bytes) -> None:
    api_client.sandbox.faults.push("image", Status(200, data), times=1000)
    errors: list[SeedreamError] = []
    for _ in range(2):
        with pytest.raises(ResultUnavailable) as caught:
            api_client.generate(model=model)
        errors.append(caught.value)
        assert caught.value.may_have_been_charged and "--forget" not in str(caught.value)
    if errors[-1].key == "result_unreadable":
        [kept] = (api_client.home / "images" / "damaged").iterdir()
        assert kept.read_bytes() == data and str(kept) in str(errors[-1])
    api_client.sandbox.faults.clear()
    assert api_client.generate(model=model).images[0].width > 0 and api_client.sent == 1


def test_stored_image_noted_as_unreadable_is_fetched_again(api_client: Any) -> None:
    """Version 0.1 stored such files as they came."""
    image = api_client.generate(model=NOW_5).images[0]
    data = UNDECODABLE[0]
    image.path.write_bytes(data)
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute(
            "UPDATE images SET width = 0, height = 0, bytes = ?, sha256 = ?",
            (len(data), hashlib.sha256(data).hexdigest()),
        )
    db.close()
    again = api_client.generate(model=NOW_5).images[0]
    assert (again.sha256, again.width) == (image.sha256, image.width) and api_client.sent == 1


def test_checking_stored_files_does_not_stall_the_loop(
    api_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seedream_api import Request, generate
    from seedream_api.ledger.image_store import ImageStore

    api_client.generate(model=NOW_5)
    check = ImageStore.is_intact
    ran: list[bool] = []

    def slow(store: ImageStore, image: Any) -> bool:
        ran.append(True)
        time.sleep(0.3)
        return check(store, image)

    monkeypatch.setattr(ImageStore, "is_intact", slow)

    async def measure(session: Session) -> float:
        longest, ended = 0.0, asyncio.Event()

        async def tick() -> None:
            nonlocal longest
            while not ended.is_set():
                began = time.monotonic()
                await asyncio.sleep(0.01)
                longest = max(longest, time.monotonic() - began)

        ticking = asyncio.ensure_future(tick())
        await generate(Request(model=NOW_5, prompt="A cat"), session)
        ended.set()
        await ticking
        return longest

    assert api_client.run(measure) < 0.25 and ran
