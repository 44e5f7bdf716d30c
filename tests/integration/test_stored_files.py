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
from support.download_kit import PNG, encoded
from support.fake_service import ExpiredLink, Json, Status
from support.hostile_server import RESET, Server, answer, cut_after, redirect

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
TWO_DAYS_S = 2 * 86_400


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


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


def of_undecodable_pixels() -> list[bytes]:
    png = encoded("PNG")
    size_of_pixels = png.index(b"IDAT") - 4
    torn = bytearray(png)
    torn[size_of_pixels + 20 : size_of_pixels + 60] = bytes(40)
    jpeg = encoded("JPEG")
    return [
        bytes(torn),
        b"\x89PNG\r\n\x1a\n" + bytes(64) + b"\0\0\0\0IEND\xaeB`\x82",
        jpeg[: len(jpeg) // 2],
        encoded("BMP")[:400],
    ]


UNDECODABLE = of_undecodable_pixels()


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


# ---- links ----


LOGIN = b"<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"


DEAD: dict[str, Any] = {
    "ExpiredToken": answer(b"<Error><Code>ExpiredToken</Code></Error>", status="400 Bad Request"),
    "forbidden": answer(LOGIN, status="403 Forbidden"),
    "gone": answer(b"", status="410 Gone"),
    "method": answer(b"", status="405 No"),
    "legal": answer(b"", status="451 No"),
    "web page": answer(LOGIN),
    "XML": answer(b"<?xml version='1.0'?><Error/>", "Content-Type: image/png"),
    "JSON": answer(b'{"code": 404}'),
    "other text": answer(b"expired", "Content-Type: image/png"),
    "empty": answer(b""),
    "no content": answer(b"", status="204 No Content"),
    "cut": answer(PNG[:300]),
    "cut on the way": cut_after(PNG, 300),
    "zeros": answer(bytes(len(PNG))),
    "undecodable": answer(UNDECODABLE[0]),
    "endless errors": answer(b"", status="503 Busy"),
    "closed": b"",
    "reset": [RESET],
    "compressed": answer(bytes(99), "Content-Encoding: br"),
    "redirect to itself": redirect("/a.png"),
    "redirect to a script": redirect("javascript:alert(1)"),
    "redirect to a file": redirect("file:///etc/passwd"),
    "too large": answer(b"\x89PNG\r\n\x1a\n", length=10**12),
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_task_gives_a_fresh_link_whatever_fails_about_the_first(
    api_client: Any, serve: Callable[..., Server], dead: Any
) -> None:
    server = serve(dead)
    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    image = api_client.generate(model=LATER_40).images[0]
    assert image.width > 0 and server.requests and image.url != server.url
    assert (api_client.sent, api_client.states) == (1, ["completed"])


def test_redirect_to_a_login_page_asks_for_a_fresh_link(
    api_client: Any, serve: Callable[..., Server]
) -> None:
    server = serve(redirect("/login"), answer(LOGIN))
    server.scripts = [[redirect("/login")], [answer(LOGIN)]] * 20
    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    assert api_client.generate(model=LATER_40).images[0].width > 0 and api_client.sent == 1


def test_dead_link_is_not_fetched_again_beside_a_fresh_one(
    api_client: Any, serve: Callable[..., Server]
) -> None:
    server = serve(answer(b"", status="410 Gone"))
    group = {"model": LATER_40, "prompt": "2 images of a cat", "n": 2}
    task_id = api_client.generate(**group, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    result = api_client.generate(**group)
    assert len(result.images) == 2, "the fresh links name one more image"
    assert len(server.requests) == 1 and api_client.sent == 1


def test_fresh_links_are_asked_for_once(api_client: Any) -> None:
    def polls() -> int:
        return sum(
            one.path.startswith("/v1/images/Seedream") for one in api_client.sandbox.requests
        )

    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    api_client.sandbox.faults.push("image", Status(400), times=1000)
    before = polls()
    with pytest.raises(ResultUnavailable) as caught:
        api_client.generate(model=LATER_40)
    assert caught.value.task_id == task_id and "not paid for" in str(caught.value)
    assert polls() - before <= 2, "one for the task's end, one for fresh links"


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_young_link_has_patience(api_client: Any, model: str, status: int) -> None:
    api_client.sandbox.faults.push("image", Status(status), times=5)
    begun = api_client.clock()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1
    assert api_client.clock() - begun < 30


@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_link_that_may_still_live_advises_no_new_payment(api_client: Any, model: str) -> None:
    api_client.sandbox.faults.push("image", Status(404), times=1000)
    for _ in range(2):
        begun = api_client.clock()
        with pytest.raises(ResultUnavailable) as caught:
            api_client.generate(model=model)
        assert caught.value.key == "result_not_fetched" and "--forget" not in str(caught.value)
        assert api_client.clock() - begun < 80
    api_client.sandbox.faults.clear()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1


def test_old_link_has_no_patience(api_client: Any) -> None:
    api_client.generate(model=NOW_5).images[0].path.unlink()
    api_client.clock.at += TWO_DAYS_S
    api_client.sandbox.faults.push("image", Status(404), times=1000)
    begun = api_client.clock()
    with pytest.raises(ResultUnavailable):
        api_client.generate(model=NOW_5)
    assert api_client.clock() == begun


def test_link_seen_by_a_clock_that_was_ahead_has_patience(api_client: Any) -> None:
    api_client.generate(model=NOW_5).images[0].path.unlink()
    api_client.clock.at -= 3600
    api_client.sandbox.faults.push("image", Status(404), times=3)
    begun = api_client.clock()
    assert api_client.generate(model=NOW_5).images and api_client.clock() - begun < 30


def test_note_says_that_fewer_images_came_than_asked(api_client: Any) -> None:
    ran = api_client.inside(
        "generate", "--model", LATER_40, "--prompt", "A cat", "--n", "4", "--json"
    )
    assert ran.code == 0 and len(ran.json["images"]) == 1
    assert any("1 of at most 4 images arrived" in note for note in ran.json["notes"])
    assert not api_client.generate(prompt="A dog").notes
