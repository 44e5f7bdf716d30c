"""A task that is polled again may list its images in another order, with other links."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError

NOW = 1_790_000_000.0
FAILED = ServiceError("not made", "OutputImageSensitiveContentDetected")
Link = Callable[[int, int], str]


def plain(image: int, poll: int) -> str:
    return f"https://cdn.example.com/t/{image}-x.png"


def signed(image: int, poll: int) -> str:
    return f"https://cdn.example.com/t/{image}-x.png?Expires={poll}00&Signature=s{poll}{image}"


def by_parameter(image: int, poll: int) -> str:
    return f"https://cdn.example.com/get?id=im{image}&Expires={poll}00&sig=s{poll}{image}"


def moved_host(image: int, poll: int) -> str:
    return f"https://cdn{poll}.example.com/t/{image}-x.png?sig=s{poll}{image}"


def moved_folder(image: int, poll: int) -> str:
    return f"https://cdn.example.com/{poll}/{image}-x.png?sig=s{poll}{image}"


LINKS: tuple[Link, ...] = (plain, signed, by_parameter, moved_host, moved_folder)


@pytest.fixture
def ledger(home: Path) -> Iterator[SyncLedger]:
    opened = SyncLedger(home, now=lambda: NOW)
    yield opened
    opened.close()


def items(urls: list[str | None]) -> tuple[ResultItem, ...]:
    return tuple(
        ResultItem(place, url=url) if url else ResultItem(place, error=FAILED)
        for place, url in enumerate(urls)
    )


def fetch(ledger: SyncLedger, row_id: int, position: int) -> None:
    """Store what the link of a position serves: bytes that its file name or its id decides."""
    url = str(ledger.list_images(row_id)[position].url)
    name = url.partition("id=")[2].partition("&")[0] or url.partition("?")[0].rpartition("/")[2]
    file = ImageStore(ledger.database.home).add_bytes(b"\x89PNG\r\n\x1a\n" + name.encode())
    ledger.record_image(row_id, position, file, (1, 1))


def fetch_missing(ledger: SyncLedger, row_id: int) -> list[str]:
    """The contents of the row, position by position, once all is fetched."""
    for image in ledger.list_images(row_id):
        if image.is_missing and image.url:
            fetch(ledger, row_id, image.position)
    return [str(image.sha256) for image in ledger.list_images(row_id)]


@given(data=st.data(), link=st.sampled_from(LINKS), is_fresh=st.booleans())
def test_polled_again_in_any_order_each_image_once(
    data: st.DataObject, link: Link, is_fresh: bool
) -> None:
    count = data.draw(st.integers(1, 6), label="images")
    order = data.draw(st.permutations(range(count)), label="order")
    stored = data.draw(st.sets(st.sampled_from(range(count))), label="stored")
    with tempfile.TemporaryDirectory() as folder:
        ledger = SyncLedger(Path(folder) / "home", now=lambda: NOW)
        try:
            row = ledger.claim_task("sandbox", "task-1", "print").id
            ledger.record_response(row, items([link(image, 1) for image in range(count)]), {})
            for position in stored:
                fetch(ledger, row, position)
            again = [link(image, 2 if is_fresh else 1) for image in order]
            ledger.record_response(row, items([*again]), {})
            assert [image.url for image in ledger.list_images(row)] == [
                link(image, 2 if is_fresh else 1) for image in range(count)
            ]
            assert len(set(fetch_missing(ledger, row))) == count
        finally:
            ledger.close()


@given(data=st.data(), link=st.sampled_from(LINKS))
def test_polled_again_with_fewer_or_more_links(data: st.DataObject, link: Link) -> None:
    before = data.draw(st.lists(st.integers(0, 5), min_size=2, max_size=6, unique=True))
    after = data.draw(st.lists(st.integers(0, 5), min_size=2, max_size=6, unique=True))
    if not set(before) & set(after):
        after = [*after, before[0]]
    with tempfile.TemporaryDirectory() as folder:
        ledger = SyncLedger(Path(folder) / "home", now=lambda: NOW)
        try:
            row = ledger.claim_task("sandbox", "task-1", "print").id
            ledger.record_response(row, items([link(image, 1) for image in before]), {})
            for position in range(len(before)):
                fetch(ledger, row, position)
            contents = [image.sha256 for image in ledger.list_images(row)]
            ledger.record_response(row, items([link(image, 2) for image in after]), {})
            found = fetch_missing(ledger, row)
            assert found[: len(contents)] == contents
            assert len(set(found)) == len(found)
        finally:
            ledger.close()


def answer_twice(ledger: SyncLedger, first: list[str | None], again: list[str | None]) -> list[str]:
    """Store position 0 of the first response, then read the second one."""
    row = ledger.claim_task("sandbox", "task-1", "print").id
    ledger.record_response(row, items(first), {})
    fetch(ledger, row, 0)
    ledger.record_response(row, items(again), {})
    return [str(image.url) for image in ledger.list_images(row)]


def test_only_new_paths_keep_their_positions(ledger: SyncLedger) -> None:
    new: list[str | None] = ["https://e.com/new/a", "https://e.com/new/b"]
    assert answer_twice(ledger, ["https://e.com/x", "https://e.com/y"], new) == new


def test_new_path_fills_missing_image_first(ledger: SyncLedger) -> None:
    urls = answer_twice(
        ledger, ["https://e.com/x", "https://e.com/y"], ["https://e.com/new", "https://e.com/x"]
    )
    assert urls == ["https://e.com/x", "https://e.com/new"]


def test_link_listed_twice_fills_no_other_position(ledger: SyncLedger) -> None:
    urls = answer_twice(
        ledger,
        ["https://e.com/x?s=1", "https://e.com/y?s=1"],
        ["https://e.com/x?s=2", "https://e.com/x?s=2"],
    )
    assert urls[1] == "https://e.com/y?s=1"


def test_failed_entry_never_replaces_known_link(ledger: SyncLedger) -> None:
    urls = answer_twice(ledger, ["https://e.com/x", "https://e.com/y"], ["https://e.com/x", None])
    assert urls == ["https://e.com/x", "https://e.com/y"]
    assert ledger.list_images(1)[1].was_made


def test_failed_entry_keeps_its_image_when_order_changes(ledger: SyncLedger) -> None:
    row = ledger.claim_task("sandbox", "task-1", "print").id
    ledger.record_response(row, items([None, "https://e.com/y"]), {})
    ledger.record_response(row, items(["https://e.com/y?fresh", None]), {})
    first, second = ledger.list_images(row)
    assert not first.was_made and second.url == "https://e.com/y?fresh"


def test_image_made_after_all_replaces_failure(ledger: SyncLedger) -> None:
    urls = answer_twice(
        ledger, ["https://e.com/x", None], ["https://e.com/later", "https://e.com/x"]
    )
    assert urls == ["https://e.com/x", "https://e.com/later"]
    assert ledger.list_images(1)[1].is_missing


def test_bytes_in_other_order_fill_the_missing_image(ledger: SyncLedger, home: Path) -> None:
    row = ledger.claim_task("sandbox", "task-1", "print").id
    parts = [b"\x89PNG\r\n\x1a\n" + name for name in (b"one", b"two")]
    one, two = (ImageStore(home).add_bytes(part) for part in parts)
    ledger.record_response(row, (ResultItem(0, data=parts[0]), ResultItem(1)), {0: one})
    swapped = (ResultItem(0, data=parts[1]), ResultItem(1, data=parts[0]))
    ledger.record_response(row, swapped, {0: two, 1: one})
    hashes = [hashlib.sha256(part).hexdigest() for part in parts]
    assert [image.sha256 for image in ledger.list_images(row)] == hashes


def test_reread_response_without_known_images_is_accepted(ledger: SyncLedger) -> None:
    row = ledger.claim_task("sandbox", "task-1", "print").id
    ledger.record_response(row, (), {})
    assert ledger.record_response(row, items(["https://e.com/x"]), {}).state is State.ANSWERED
    assert [image.url for image in ledger.list_images(row)] == ["https://e.com/x"]
