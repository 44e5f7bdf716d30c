"""The record's rows: only the drawn moves, and what each writes down."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.errors import OutcomeUnknown, TaskFailed
from seedream_api.ledger.image_store import ImageStore, StoredFile
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.migrations import STATE_TIMESTAMPS
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import TRANSITIONS, JobSpec, State
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError

ADDRESS = "https://api.deepspaceai.net"
NOW = 1_790_000_000.0
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def ledger(home: Path) -> Iterator[SyncLedger]:
    opened = SyncLedger(home, now=lambda: NOW)
    yield opened
    opened.close()


def wish(name: str, model: str = "Seedream-4.5") -> JobSpec:
    return JobSpec(
        fingerprint=name,
        family="evolink",
        model=model,
        address=ADDRESS,
        key_fingerprint="print",
        prompt="一只猫 " + name,
        fields={"size": "1:1", "n": 2},
        references=("sha256:aa", "url:https://example.com/a.png"),
        seed=2**63 + 5,
        asked=2,
        notes=("a note",),
    )


def row_in(ledger: SyncLedger, state: State, name: str) -> JobRecord:
    """A row of mine that stands at ``state``, however it came there."""
    row = ledger.claim(wish(name), f"key of {name}")
    with sqlite3.connect(ledger.path) as db:
        db.execute("UPDATE requests SET state = ? WHERE id = ?", (state.value, row.id))
    db.close()
    return ledger.get_record(row.id)


def stored_file(home: Path, data: bytes = PNG) -> StoredFile:
    return ImageStore(home).add_bytes(data)


def test_every_pair_of_states_is_a_move_or_a_defect(ledger: SyncLedger) -> None:
    allowed = 0
    for before in State:
        for after in State:
            row = row_in(ledger, before, f"{before.value} to {after.value}")
            if after in TRANSITIONS[before]:
                ledger.move(row.id, after)
                assert ledger.get_record(row.id).state is after
                allowed += 1
            else:
                with pytest.raises(ValueError, match=f"{before.value} to {after.value}"):
                    ledger.move(row.id, after)
                assert ledger.get_record(row.id).state is before
    assert allowed == sum(len(after) for after in TRANSITIONS.values()) > 20


def test_a_move_that_is_refused_writes_nothing_of_it(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    with pytest.raises(ValueError, match="may not go"):
        ledger.move(row.id, State.ACCEPTED, task_id="task-1", request_id="req-1")
    assert ledger.get_record(row.id) == row


def test_a_new_row_holds_the_whole_wish(ledger: SyncLedger) -> None:
    row = ledger.get_record(ledger.claim(wish("a"), "key").id)
    assert row.state is State.INTENDED and row.owner == ledger.owner
    assert (row.fingerprint, row.family, row.model) == ("a", "evolink", "Seedream-4.5")
    assert (row.address, row.key_fingerprint, row.prompt) == (ADDRESS, "print", "一只猫 a")
    assert row.fields == {"size": "1:1", "n": 2} and row.seed == 2**63 + 5 and row.asked == 2
    assert row.references == ("sha256:aa", "url:https://example.com/a.png")
    assert row.notes == ("a note",) and row.idempotency_key == "key"
    assert row.created_at == NOW and row.sent_at is None and row.task_id is None


@pytest.mark.parametrize("state", [*STATE_TIMESTAMPS], ids=lambda state: state.value)
def test_coming_to_a_state_is_stamped(home: Path, state: State) -> None:
    clock = [NOW]
    ledger = SyncLedger(home, now=lambda: clock[0])
    try:
        before = next(
            before for before in State if state in TRANSITIONS[before] and before != state
        )
        row = row_in(ledger, before, "a")
        clock[0] = NOW + 60
        ledger.move(row.id, state)
        assert getattr(ledger.get_record(row.id), STATE_TIMESTAMPS[state]) == NOW + 60
    finally:
        ledger.close()


def test_transition_writes_ids_and_error_and_keeps_them(
    ledger: SyncLedger,
) -> None:
    row = row_in(ledger, State.SENDING, "a")
    ledger.move(row.id, State.ACCEPTED, task_id="task-1", request_id="req-1")
    failed = TaskFailed("task_failed", task_id="task-1", reason="no")
    ledger.move(row.id, State.FAILED, error=failed)
    found = ledger.get_record(row.id)
    assert (found.task_id, found.request_id) == ("task-1", "req-1")
    assert type(found.error) is TaskFailed and str(found.error) == str(failed)


def test_an_error_ends_with_its_state(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.SENDING, "a")
    ledger.move(row.id, State.UNKNOWN, error=OutcomeUnknown("outcome_unknown_crash", entry=1))
    assert ledger.get_record(row.id).error is not None
    ledger.move(row.id, State.ACCEPTED, task_id="task-1")
    assert ledger.get_record(row.id).error is None


def test_a_request_that_came_back_was_not_sent(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    assert ledger.move(row.id, State.SENDING).sent_at == NOW
    assert ledger.move(row.id, State.INTENDED).sent_at is None
    ledger.move(row.id, State.SENDING)
    assert ledger.move(row.id, State.ACCEPTED, task_id="task-a").sent_at == NOW


def test_row_may_be_charged_from_first_byte_until_refused(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    assert not row.may_have_been_charged and row.charged_images([]) == 0
    row = ledger.move(row.id, State.SENDING)
    assert row.may_have_been_charged and row.charged_images([]) == 2
    assert not ledger.move(row.id, State.INTENDED).may_have_been_charged
    ledger.move(row.id, State.SENDING)
    failed = TaskFailed("task_failed", task_id="task-1", reason="no")
    ledger.move(row.id, State.ACCEPTED, task_id="task-1")
    assert not ledger.move(row.id, State.FAILED, error=failed).may_have_been_charged


def test_foreign_task_may_have_been_charged(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-9", "print")
    assert row.may_have_been_charged
    assert (row.seed, row.asked, row.fields, row.references, row.notes) == (0, 0, {}, (), ())


# ---- images ----

ITEMS = (
    ResultItem(0, url="https://cdn.example.com/0.png?sig=1"),
    ResultItem(1, error=ServiceError("no", "OutputImageSensitiveContentDetected")),
    ResultItem(2, url="https://cdn.example.com/2.png"),
)


def test_an_answer_writes_every_place_of_the_group(ledger: SyncLedger) -> None:
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


def test_stored_images_stay_when_the_answer_is_written_again(
    ledger: SyncLedger, home: Path
) -> None:
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


def test_bytes_that_came_in_the_answer_are_stored_with_it(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.SENDING, "a")
    file = stored_file(home)
    ledger.record_response(row.id, (ResultItem(0, data=PNG),), {0: file})
    (image,) = ledger.list_images(row.id)
    assert image.file == file.path and image.url is None and not image.is_missing
    assert (image.width, image.height) == (0, 0)  # measured later, in a thread


def test_an_image_that_came_with_a_complaint_was_made(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.ACCEPTED, "a")
    ledger.record_response(
        row.id, (ResultItem(0, url="https://e.com/a", error=ServiceError("odd")),), {}
    )
    (image,) = ledger.list_images(row.id)
    assert image.was_made and image.error is None


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


def test_the_folder_may_move_with_everything_in_it(ledger: SyncLedger, home: Path) -> None:
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


# ---- what must outlast a power failure by itself ----


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
