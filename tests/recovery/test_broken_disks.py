"""A disk that is full, read-only or broken: nothing is sent unwritten, nothing paid for is lost."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.schema import file_id, quarantine
from seedream_api.ledger.states import JobSpec, State
from support.driver_process import EVOLINK, PREFERENTIAL, Driver, Place, sandbox_at
from support.fake_service import ExpiredLink, Status, rate_limited

REQUESTS = {"evolink": EVOLINK, "preferential": PREFERENTIAL}
WRITES = ("commit", "fsync", "rename")


@pytest.fixture
def make(tmp_path: Path, drivers: list[Driver]) -> Callable[..., Any]:
    free: SimpleQueue[Driver] = SimpleQueue()
    for driver in drivers:
        free.put(driver)

    @contextmanager
    def place(name: str = "one", family: str = "evolink") -> Iterator[Place]:
        folder = tmp_path / name
        folder.mkdir()
        driver = free.get()
        try:
            with sandbox_at(folder) as sandbox:
                yield Place(folder, sandbox, driver, REQUESTS[family])
        finally:
            free.put(driver)

    return place


def number_of(steps: list[str], name: str, moment: str = "") -> int:
    """The number of the first step that begins so, and ends so."""
    numbered = enumerate(steps, 1)
    return next(i for i, s in numbered if s.startswith(name) and s.endswith(moment))


# ---- full ----


@pytest.mark.parametrize("family", REQUESTS)
def test_full_from_every_write_on(make: Callable[..., Any], family: str) -> None:
    """From every write on, one after the other, all writes of the run fail; then there is room."""
    with make("undisturbed", family) as place:
        images = place.images(place.run())
        steps = place.trace()
    writes = [i for i, s in enumerate(steps, 1) if s.startswith(WRITES) and s.endswith("before")]
    assert len(writes) >= (9 if family == "evolink" else 8)

    def full_from(number: int) -> None:
        name = steps[number - 1]
        with make(f"full_{number}", family) as place:
            outcome = place.run(steps={"full_from": number})
            # What failed for sure counts, not when: bookkeeping at the end may fail in silence.
            if number < number_of(steps, "POST: first byte"):
                assert_nothing_sent(place, outcome)
            elif outcome["status"] != "completed":
                assert_told(place, outcome, name)
            assert_nothing_lost(place, outcome, images)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(full_from, writes))


def assert_nothing_sent(place: Place, outcome: dict[str, Any]) -> None:
    assert outcome["error"] == "LedgerFailed" and outcome["charge"] == "none", outcome
    assert "full" in outcome["message"] and "Nothing was charged" in outcome["message"]
    assert place.posts == 0 and outcome["exit_code"] == 1
    assert place.run("second")["status"] == "completed" and place.posts == 1


def assert_told(place: Place, outcome: dict[str, Any], name: str) -> None:
    """The error says what there is to know: that money was spent, and the task's id."""
    assert outcome["error"] == "LedgerFailed", (name, outcome)
    assert outcome["charge"] in ("possible", "paid"), (name, outcome)
    assert "Nothing was charged" not in outcome["message"]
    assert "full" in outcome["message"] or "No space left" in outcome["message"]
    if place.request is EVOLINK:
        assert outcome["task_id"], (name, outcome)


def assert_nothing_lost(place: Place, outcome: dict[str, Any], images: list[bytes]) -> None:
    again = place.run("again")
    assert place.posts == 1, (outcome, again)
    if again.get("error") == "OutcomeUnknown":
        # The service's answer could not be written; by its id, which the error told, it is found.
        assert outcome["charge"] == "possible"
        if outcome["task_id"] is None:
            return
        again = place.run("collected", collect=outcome["task_id"])
    assert again["status"] == "completed" and place.images(again) == images and place.posts == 1


@pytest.mark.parametrize("how", ["raise", "size"])
@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("evolink", "commit requests=accepted"),
        ("evolink", "commit requests=answered"),
        ("preferential", "commit requests=answered"),
    ],
)
def test_full_for_a_while(make: Callable[..., Any], family: str, name: str, how: str) -> None:
    """An answer that was paid for is written as soon as there is room."""
    with make("undisturbed", family) as place:
        images = place.images(place.run())
        number = number_of(place.trace(), name)
    with make("full", family) as place:
        steps = {"full_from": number, "full_for": 20, "how": how}
        outcome = place.run(steps=steps)
        assert outcome["status"] == "completed" and outcome["origin"] == "new"
        assert place.posts == 1 and place.images(outcome) == images


def test_full_while_a_refusal_is_written_down(make: Callable[..., Any]) -> None:
    """A 429 for which there is no room is still no charge."""
    with make("undisturbed") as place:
        place.sandbox.faults.push("generate", rate_limited())
        assert place.run()["status"] == "completed"
        number = number_of(place.trace(), "commit requests=intended+requests.sent_at")
    with make("full") as place:
        place.sandbox.faults.push("generate", rate_limited())
        outcome = place.run(steps={"full_from": number})
        assert outcome["error"] == "LedgerFailed" and outcome["charge"] == "none", outcome
        assert place.posts == 0


@pytest.mark.parametrize("how", ["pages", "size"])
def test_really_full_before_anything_was_written(make: Callable[..., Any], how: str) -> None:
    """Not our imitation: SQLite's own limit, and the system's."""
    with make() as place:
        place.request = {**EVOLINK, "prompt": "猫" * 1_800}  # more than a page
        outcome = place.run(steps={"full_from": "commit schema: after", "how": how})
        assert outcome["error"] == "LedgerFailed" and outcome["charge"] == "none"
        wanted = "database or disk is full" if how == "pages" else "disk I/O error"
        assert wanted in outcome["message"] and place.posts == 0
        assert place.run("second")["status"] == "completed" and place.posts == 1


@pytest.mark.parametrize("name", ["commit requests=accepted", "commit images.sha256"])
def test_really_full_after_the_post(make: Callable[..., Any], name: str) -> None:
    with make("undisturbed") as place:
        images = place.images(place.run())
        number = number_of(place.trace(), name)
    with make() as place:
        outcome = place.run(steps={"full_from": number, "how": "size"})
        assert outcome["error"] == "LedgerFailed" and outcome["task_id"]
        assert outcome["charge"] in ("possible", "paid")
        assert_nothing_lost(place, outcome, images)


# ---- no place to write ----


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
@pytest.mark.parametrize("is_new", [True, False])
def test_a_home_that_is_read_only(make: Callable[..., Any], is_new: bool) -> None:
    with make() as place:
        if is_new:
            place.home.mkdir()
        else:
            place.run("before", request={**EVOLINK, "seed": 5})
        sent = place.posts
        paths = [place.home, *place.home.rglob("*")]
        for path in paths:
            path.chmod(0o500 if path.is_dir() else 0o400)
        try:
            outcome = place.run(without_rights=True)
        finally:
            for path in paths:
                if path.exists():
                    path.chmod(0o700)
        assert outcome["error"] == "LedgerFailed" and outcome["key"] == "ledger_unwritable"
        assert outcome["charge"] == "none" and place.posts == sent
        assert str(place.home) in outcome["message"]


def test_a_home_that_is_a_file(make: Callable[..., Any]) -> None:
    with make() as place:
        place.home.write_text("mine")
        outcome = place.run()
        assert outcome["status"] == "error" and str(place.home) in outcome["message"]
        assert place.posts == 0 and place.home.read_text() == "mine"


def test_a_home_that_cannot_be_made(home: Path) -> None:
    home.write_text("mine")
    with pytest.raises(LedgerFailed, match=r"cannot be written: File exists"):
        SyncLedger(home)


# ---- a broken ledger ----


def flipped_head(data: bytes) -> bytes:
    return bytes(255 - byte for byte in data[:64]) + data[64:]


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2 + 100]


def garbage(data: bytes) -> bytes:
    return random.Random(3).randbytes(len(data))  # noqa: S311


def broken_tables(data: bytes) -> bytes:
    """The first page, and with it the list of tables, is whole."""
    return data[:4096] + garbage(data[4096:])


DAMAGES = [flipped_head, cut_in_half, garbage, broken_tables]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_ledger_is_kept_aside(
    make: Callable[..., Any], damage: Callable[[bytes], bytes]
) -> None:
    with make() as place:
        place.run("before")
        broken = damage(place.database.read_bytes())
        place.database.write_bytes(broken)
        outcome = place.run()
        assert outcome["error"] == "LedgerFailed" and outcome["key"] == "ledger_broken"
        assert place.posts == 1
        [aside] = place.home.glob("ledger.broken-*.sqlite")
        assert aside.read_bytes() == broken and str(aside) in outcome["message"]
        assert not place.database.exists()
        again = place.run("again")
        assert again["status"] == "completed" and again["origin"] == "new" and place.posts == 2
        assert aside.read_bytes() == broken


def damaged_in_use(home: Path, ledger: SyncLedger) -> bytes:
    """Break the file below an open ledger that has just used it."""
    for number in range(40):
        ledger.claim(intent(f"{number} " + "x" * 2_000), "key")
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    broken = broken_tables(ledger.path.read_bytes())
    ledger.path.write_bytes(broken)
    other.execute("PRAGMA user_version = 1")  # a change by another makes the ledger read anew
    other.close()
    return broken


def intent(name: str) -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.0", address="http://127.0.0.1:1",
        key_fingerprint="0", prompt=name, fields={}, references=(), seed=0, asked=1,
    )  # fmt: skip


def test_a_ledger_that_breaks_in_use(home: Path) -> None:
    ledger = SyncLedger(home)
    broken = damaged_in_use(home, ledger)
    with pytest.raises(LedgerFailed, match="is damaged") as failed:
        ledger.list_records()
    [aside] = home.glob("ledger.broken-*.sqlite")
    assert aside.read_bytes()[4096:] == broken[4096:] and str(aside) in str(failed.value)
    assert ledger.is_unusable
    with pytest.raises(LedgerFailed, match="is damaged"):
        ledger.claim(intent("later"), "key")  # nothing is sent on the word of a ledger that is gone
    ledger.close()
    anew = SyncLedger(home)
    assert anew.list_records() == [] and anew.claim(intent("later"), "key").id == 1
    anew.close()
    assert aside.exists()


def test_a_broken_ledger_that_another_process_moved_already(home: Path) -> None:
    """What was begun in its stead is neither used by the late one nor moved away."""
    one, other = SyncLedger(home), SyncLedger(home)
    place = file_id(one.path)
    damaged_in_use(home, one)
    with pytest.raises(LedgerFailed, match="is damaged"):
        one.list_records()
    anew = SyncLedger(home)
    anew.claim(intent("new"), "key")
    with pytest.raises(LedgerFailed, match="moved or deleted"):
        other.claim(intent("new"), "key")
    assert "*" in quarantine(one.path, place).name
    assert len(list(home.glob("ledger.broken-*.sqlite"))) == 1
    assert [row.fingerprint for row in anew.list_records()] == ["new"]
    for ledger in (one, other, anew):
        ledger.close()


def test_a_ledger_that_is_deleted_in_use(home: Path) -> None:
    """Nothing is written, and so nothing sent, into a file that nobody will find."""
    ledger = SyncLedger(home)
    row = ledger.claim(intent("one"), "key")
    ledger.path.unlink()
    with pytest.raises(LedgerFailed, match="moved or deleted"):
        ledger.move(row.id, State.SENDING)
    assert ledger.is_unusable
    ledger.close()


@pytest.mark.parametrize("family", REQUESTS)
def test_broken_while_the_answer_is_written(make: Callable[..., Any], family: str) -> None:
    with make("undisturbed", family) as place:
        images = place.images(place.run())
        name = "accepted" if family == "evolink" else "answered"
        number = number_of(place.trace(), f"commit requests={name}")
    with make("broken", family) as place:
        outcome = place.run(steps={"full_from": number, "how": "broken"})
        assert outcome["error"] == "LedgerFailed" and outcome["charge"] == "possible"
        assert "damaged" in outcome["message"] and place.posts == 1
        assert len(list(place.home.glob("ledger.broken-*.sqlite"))) == 1
        if family == "evolink":
            assert outcome["task_id"] in outcome["message"]
            collected = place.run("collected", collect=outcome["task_id"])
            assert place.images(collected) == images and place.posts == 1


def test_a_broken_log_stops_until_it_is_moved(make: Callable[..., Any]) -> None:
    """SQLite would take it for an empty one, and all that was paid for as never asked for."""
    with make() as place:
        place.run("before")
        place.run(steps={"kill_at": 7}, request={**EVOLINK, "seed": 1})
        log = place.home / "ledger.sqlite-wal"
        broken = garbage(log.read_bytes())
        assert len(broken) > 4096
        log.write_bytes(broken)
        posts = place.posts
        outcome = place.run("second")
        assert outcome["key"] == "ledger_log_damaged" and str(log) in outcome["message"]
        assert place.run("third")["key"] == "ledger_log_damaged" and place.posts == posts
        assert log.read_bytes() == broken and not list(place.home.glob("ledger.broken-*"))
        log.rename(place.home / "moved")
        assert place.run("fourth")["status"] == "completed"


def test_a_log_with_a_torn_end(make: Callable[..., Any]) -> None:
    """As a power failure leaves it: what was committed before stands."""
    with make("undisturbed") as place:
        images = place.images(place.run())
        number = number_of(place.trace(), "commit requests=completed") + 1
    with make("torn") as place:
        place.run(steps={"kill_at": number})
        log = place.home / "ledger.sqlite-wal"
        log.write_bytes(log.read_bytes()[:-50])
        assert place.states() == ["answered"]
        outcome = place.run("second")
        assert outcome["status"] == "completed" and place.images(outcome) == images
        assert place.posts == 1


# ---- clocks ----


@pytest.mark.parametrize("shift_s", [-3600, 3600])
def test_a_clock_that_jumps_changes_no_decision(make: Callable[..., Any], shift_s: int) -> None:
    with make("undisturbed") as place:
        images = place.images(place.run())
        steps = place.trace()
    for state in ("intended", "sending", "accepted", "answered", "completed"):
        number = number_of(steps, f"commit requests={state}", "after")
        with make(f"{state}") as place:
            place.run(steps={"kill_at": number})
            assert place.states() == [state]
            for trace in ("second", "third"):
                outcome = place.run(trace, shift_s=shift_s)
                if state == "sending":
                    assert outcome["error"] == "OutcomeUnknown" and place.posts == 0
                    continue
                assert place.images(outcome) == images and place.posts == 1
                is_stored = state == "completed" or trace == "third"
                assert (outcome["origin"] == "stored") == is_stored


# ---- images that are no longer there ----

LINKS_DIE_S = 3 * 86_400.0


def remove_images(place: Place) -> None:
    for path in (place.home / "images").glob("*/*.jpg"):
        path.unlink()


@pytest.mark.parametrize("family", REQUESTS)
def test_a_missing_file_is_fetched_again(make: Callable[..., Any], family: str) -> None:
    with make(family=family) as place:
        images = place.images(place.run())
        remove_images(place)
        fetched = place.downloads
        outcome = place.run("second")
        assert outcome["origin"] == "stored" and place.images(outcome) == images
        assert place.posts == 1 and place.downloads == fetched + 1


@pytest.mark.parametrize("code", [403, 404])
def test_a_dead_link_is_renewed(make: Callable[..., Any], code: int) -> None:
    with make() as place:
        images = place.images(place.run())
        remove_images(place)
        place.sandbox.faults.push("image", ExpiredLink(code))
        outcome = place.run("second", shift_s=LINKS_DIE_S)
        assert outcome["status"] == "completed" and place.images(outcome) == images
        assert place.posts == 1 and "poll: sent" in place.trace("second")


@pytest.mark.parametrize("family", REQUESTS)
def test_when_all_is_gone_nothing_is_sent(make: Callable[..., Any], family: str) -> None:
    with make(family=family) as place:
        images = place.images(place.run())
        remove_images(place)
        place.sandbox.faults.push("image", ExpiredLink(), times=100)
        place.sandbox.faults.push("task", Status(404), times=100)
        for trace in ("second", "third"):
            outcome = place.run(trace, shift_s=LINKS_DIE_S)
            assert outcome["error"] == "ResultUnavailable" and outcome["key"] == "result_gone"
            assert outcome["charge"] == "paid" and place.posts == 1
            assert "http://" not in outcome["message"]
        place.sandbox.faults.clear()
        last = place.run("last")
        assert place.images(last) == images and place.posts == 1
