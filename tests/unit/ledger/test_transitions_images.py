"""Images of a row, and which writes survive a power failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.ledger.image_store import ImageStore, StoredFile
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError
from support.transition_kit import ADDRESS, NOW, row_in, wish

pytestmark = pytest.mark.databases("sqlite", "postgresql")

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def stored_file(home: Path, data: bytes = PNG) -> StoredFile:
    return ImageStore(home).add_bytes(data)


# ---- images ----


ITEMS = (
    ResultItem(0, url="https://cdn.example.com/0.png?sig=1"),
    ResultItem(1, error=ServiceError("no", "OutputImageSensitiveContentDetected")),
    ResultItem(2, url="https://cdn.example.com/2.png"),
)


def test_record_response_writes_every_position(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(row.id, ITEMS, {})
    images = ledger.list_images(row.id)
    assert [image.position for image in images] == [0, 1, 2]
    assert [image.url for image in images] == [item.url for item in ITEMS]
    assert [image.is_missing for image in images] == [True, False, True]
    assert [image.was_made for image in images] == [True, False, True]
    assert {(image.bytes, image.media_type, image.width, image.height) for image in images} == {
        (0, "", 0, 0)
    }
    assert "OutputImageSensitiveContentDetected" in str(images[1].error)
    assert ledger.get_record(row.id).state is State.ANSWERED


def test_what_was_made_may_have_been_charged_and_nothing_else(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    ledger.move(row.id, State.SENDING)
    answered = ledger.record_response(row.id, ITEMS, {})
    assert answered.charged_images(ledger.list_images(row.id)) == 2
    assert answered.charged_images(ledger.list_images(row.id)[1:2]) == 0


def test_stored_images_stay_when_response_is_recorded_again(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(row.id, ITEMS, {})
    file = stored_file(home)
    ledger.record_image(row.id, 0, file, (3, 4))
    fresh = (ResultItem(0, url="https://cdn.example.com/new"), *ITEMS[1:])
    ledger.record_response(row.id, fresh, {})
    first, _, last = ledger.list_images(row.id)
    assert first.url == "https://cdn.example.com/new" and first.file == file.path
    assert (first.width, first.height, first.bytes) == (3, 4, len(PNG))
    assert (first.sha256, first.media_type) == (file.sha256, "image/png")
    assert not first.is_missing and last.is_missing


def test_bytes_inside_the_response_are_stored_with_it(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.SENDING, "a")
    file = stored_file(home)
    ledger.record_response(row.id, (ResultItem(0, data=PNG),), {0: file})
    (image,) = ledger.list_images(row.id)
    assert image.file == file.path and image.url is None and not image.is_missing
    assert (image.width, image.height) == (0, 0)  # measured later, in a thread


def test_image_that_came_with_a_complaint_was_made(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(
        row.id, (ResultItem(0, url="https://e.com/a", error=ServiceError("odd")),), {}
    )
    (image,) = ledger.list_images(row.id)
    assert image.was_made and image.error is None


@pytest.mark.databases("sqlite")
def test_lost_files_are_to_be_fetched_again_and_the_others_stay(
    ledger: SyncLedger, home: Path
) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(row.id, ITEMS, {})
    for position in (0, 2):
        ledger.record_image(row.id, position, stored_file(home, PNG + bytes([position])), (1, 1))
    ledger.move(row.id, State.PARTIAL)
    ledger.mark_missing(row.id, [2])
    assert ledger.get_record(row.id).state is State.ANSWERED
    assert [image.is_missing for image in ledger.list_images(row.id)] == [False, False, True]


def test_refetched_images_do_not_change_the_typical_time(home: Path) -> None:
    clock = [NOW]
    ledger = SyncLedger(home, now=lambda: clock[0])
    try:
        row = row_in(ledger, State.ACCEPTED, "a")
        clock[0] += 20
        ledger.record_response(row.id, ITEMS, {})
        ledger.move(row.id, State.COMPLETED)
        clock[0] += 86_400
        assert ledger.mark_missing(row.id, [0]).answered_at == NOW + 20
        ledger.record_response(row.id, ITEMS, {})
        assert ledger.get_record(row.id).answered_at == NOW + 20
    finally:
        ledger.close()


@pytest.mark.databases("sqlite")
def test_folder_may_move_with_everything_in_it(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(row.id, ITEMS, {})
    ledger.record_image(row.id, 0, stored_file(home), (1, 1))
    ledger.close()
    moved = home.rename(home.with_name("elsewhere"))
    again = SyncLedger(moved)
    try:
        file = again.list_images(row.id)[0].file
        assert file is not None and file.is_relative_to(moved) and file.read_bytes() == PNG
    finally:
        again.close()


@pytest.mark.databases("sqlite")
def test_stored_image_is_found_by_url_only_while_stored(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(row.id, ITEMS, {})
    url = str(ITEMS[0].url)
    assert ledger.find_stored_image(url) is None
    ledger.record_image(row.id, 0, stored_file(home), (1, 1))
    found = ledger.find_stored_image(url)
    assert found is not None and found.request == row.id and found.position == 0
    ledger.move(row.id, State.COMPLETED)
    ledger.mark_missing(row.id, [0])
    assert ledger.find_stored_image(url) is None
    assert ledger.find_stored_image("https://cdn.example.com/other") is None


def test_delivery_is_stamped(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.COMPLETED, "a")
    assert ledger.get_record(row.id).delivered_at is None
    ledger.mark_delivered(row.id)
    assert ledger.get_record(row.id).delivered_at == NOW


# ---- what must survive a power failure ----


@pytest.mark.databases("sqlite")
def test_durable_writes_are_exactly_those_that_protect_money(
    ledger: SyncLedger, home: Path
) -> None:
    said: list[str] = []
    ledger.database._connection.set_trace_callback(said.append)

    def waits(*call: object) -> bool:
        said.clear()
        call[0](*call[1:])  # type: ignore[operator]
        assert said[0] in ("PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL")
        assert said[1] == "BEGIN IMMEDIATE" and said[-1] == "COMMIT"
        return said[0].endswith("FULL")

    def only_reads(*call: object) -> bool:
        said.clear()
        call[0](*call[1:])  # type: ignore[operator]
        return (said[0], said[-1]) == ("BEGIN", "COMMIT")

    file, item = stored_file(home), ResultItem(0, url="https://cdn.example.com/0.png")
    assert not waits(ledger.claim, wish("a"), "key")  # nothing is sent yet
    assert waits(ledger.move, 1, State.SENDING)
    assert waits(ledger.move, 1, State.INTENDED)  # sending as it stood would be unknown
    assert waits(ledger.move, 1, State.SENDING)
    assert waits(lambda: ledger.move(1, State.ACCEPTED, task_id="task-a"))
    assert waits(ledger.record_response, 1, (item,), {})
    assert waits(ledger.record_image, 1, 0, file, (1, 1))
    assert not waits(ledger.move, 1, State.COMPLETED)  # follows from the images
    assert not waits(ledger.mark_delivered, 1)
    assert not waits(ledger.release, 1)
    assert not waits(ledger.mark_missing, 1, [0])
    assert not waits(ledger.mark_pruned, "0" * 64)
    assert not waits(ledger.claim_row, 1)
    assert not waits(ledger.claim_task, ADDRESS, "task-b", "print")
    assert waits(ledger.forget, 1)
    for look in (ledger.list_records, ledger.sum_stored_bytes, ledger.list_stored_files):
        assert only_reads(look)
    for look in (ledger.get_record, ledger.list_images, ledger.find_record, ledger.find_task,
                 ledger.find_stored_image, ledger.typical_seconds):  # fmt: skip
        assert only_reads(look, 2 if look in (ledger.get_record, ledger.list_images) else "2")
