"""A broken ledger costs nothing twice, and lost images are fetched again."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.schema import file_id, quarantine
from seedream_api.ledger.states import JobSpec, State
from support.broken_disks import REQUESTS, number_of
from support.driver_process import EVOLINK, Place
from support.fake_service import ExpiredLink, Status

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
def test_broken_ledger_is_kept_aside(
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
    other.execute("PRAGMA user_version = 1")  # a change by another makes the ledger read again
    other.close()
    return broken


def intent(name: str) -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.0", address="http://127.0.0.1:1",
        key_fingerprint="0", prompt=name, fields={}, references=(), seed=0, asked=1,
    )  # fmt: skip


def test_ledger_that_breaks_in_use(home: Path) -> None:
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


def test_broken_ledger_that_another_process_moved_already(home: Path) -> None:
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


def test_ledger_that_is_deleted_in_use(home: Path) -> None:
    """Nothing is written, and so nothing sent, into a file that will not be found."""
    ledger = SyncLedger(home)
    row = ledger.claim(intent("one"), "key")
    ledger.path.unlink()
    with pytest.raises(LedgerFailed, match="moved or deleted"):
        ledger.move(row.id, State.SENDING)
    assert ledger.is_unusable
    ledger.close()


@pytest.mark.parametrize("family", REQUESTS)
def test_ledger_broken_while_the_response_is_written(make: Callable[..., Any], family: str) -> None:
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


def test_broken_log_stops_until_it_is_moved(make: Callable[..., Any]) -> None:
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


def test_log_with_a_torn_end(make: Callable[..., Any]) -> None:
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


# ---- images that are no longer there ----


LINKS_DIE_S = 3 * 86_400.0


def remove_images(place: Place) -> None:
    for path in (place.home / "images").glob("*/*.jpg"):
        path.unlink()


@pytest.mark.parametrize("family", REQUESTS)
def test_missing_file_is_fetched_again(make: Callable[..., Any], family: str) -> None:
    with make(family=family) as place:
        images = place.images(place.run())
        remove_images(place)
        fetched = place.downloads
        outcome = place.run("second")
        assert outcome["origin"] == "stored" and place.images(outcome) == images
        assert place.posts == 1 and place.downloads == fetched + 1


@pytest.mark.parametrize("code", [403, 404])
def test_dead_link_is_renewed(make: Callable[..., Any], code: int) -> None:
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
