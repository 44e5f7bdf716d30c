"""A disk that is full, read-only or broken: nothing is sent unwritten, nothing paid for is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from support.broken_disks import REQUESTS, number_of
from support.driver_process import EVOLINK, Place
from support.fake_service import rate_limited

WRITES = ("commit", "fsync", "rename")


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
        # The service's response could not be written; the id that the error names finds it.
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
    """A response that was paid for is written as soon as there is space."""
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
def test_home_that_is_read_only(make: Callable[..., Any], is_new: bool) -> None:
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


def test_home_that_is_a_file(make: Callable[..., Any]) -> None:
    with make() as place:
        place.home.write_text("mine")
        outcome = place.run()
        assert outcome["status"] == "error" and str(place.home) in outcome["message"]
        assert place.posts == 0 and place.home.read_text() == "mine"


def test_home_that_cannot_be_made(home: Path) -> None:
    home.write_text("mine")
    with pytest.raises(LedgerFailed, match=r"cannot be written: File exists"):
        SyncLedger(home)


# ---- clocks ----


@pytest.mark.parametrize("shift_s", [-3600, 3600])
def test_clock_that_jumps_changes_no_decision(make: Callable[..., Any], shift_s: int) -> None:
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
