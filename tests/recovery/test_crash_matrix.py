"""Killed at any moment, and run again with the same inputs: paid once, nothing lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from PIL import Image

from support.driver_process import EVOLINK, GROUP, PREFERENTIAL, Driver, Place, sandbox_at
from support.fake_service import Json, SlowDrip, Status, Truncated

WORKERS = 2
STILL_RUNNING = Json({"status": "processing", "progress": 40})

ROAD: dict[str, list[str]] = {
    "evolink": [
        "commit schema: before", "commit schema: after",
        "commit requests=intended: before", "commit requests=intended: after",
        "upload: sent", "upload: answered",
        "POST: connecting",
        "commit requests=sending: before", "commit requests=sending: after",
        "POST: first byte", "POST: answered",
        "commit requests=accepted: before", "commit requests=accepted: after",
        "poll: sent", "poll: answered", "poll: sent", "poll: answered",
        "commit requests=answered: before", "commit requests=answered: after",
        "download: sent", "download: answered", "download: read",
        "fsync *.part: before", "fsync *.part: after",
        "rename *.jpg: before", "rename *.jpg: after",
        "fsync folder: before", "fsync folder: after",
        "commit images.sha256: before", "commit images.sha256: after",
        "commit requests=completed: before", "commit requests=completed: after",
        "commit requests.delivered_at: before", "commit requests.delivered_at: after",
    ],
}  # fmt: skip
"""The steps that a request must have, in this order; each is one of the trace, or begins one."""
ROAD["preferential"] = [
    step for step in ROAD["evolink"]
    if not step.startswith(("upload", "poll")) and "accepted" not in step
]  # fmt: skip
REQUESTS = {"evolink": EVOLINK, "preferential": PREFERENTIAL}
GROUPS = {"group": GROUP}


@pytest.fixture
def make(tmp_path: Path, drivers: list[Driver]) -> Callable[..., Any]:
    reference = tmp_path / "reference.png"
    Image.new("RGB", (256, 256), (200, 40, 40)).save(reference)
    free: SimpleQueue[Driver] = SimpleQueue()
    for driver in drivers:
        free.put(driver)

    @contextmanager
    def place(name: str, family: str = "evolink") -> Iterator[Place]:
        folder = tmp_path / name
        folder.mkdir()
        driver = free.get()
        try:
            with sandbox_at(folder) as sandbox:
                files = (reference,) if family == "evolink" else ()
                yield Place(folder, sandbox, driver, {**REQUESTS, **GROUPS}[family], files)
        finally:
            free.put(driver)

    return place


def assert_in_order(trace: list[str], wanted: list[str]) -> None:
    """Every wanted step is in the trace, behind the one before it."""
    left = iter(trace)
    for want in wanted:
        head, colon, moment = want.rpartition(": ")
        found = any(step.startswith(head) and step.endswith(colon + moment) for step in left)
        assert found, f"{want!r} is not where it belongs in {trace}"


def undisturbed(make: Callable[..., Any], family: str) -> tuple[list[str], list[bytes]]:
    """The steps of a run that is not killed, and its images."""
    with make("undisturbed", family) as place:
        place.sandbox.faults.push("task", STILL_RUNNING)
        outcome = place.run()
        assert outcome["status"] == "completed" and place.posts == 1
        assert place.states() == ["completed"]
        return place.trace(), place.images(outcome)


@pytest.mark.parametrize("family", REQUESTS)
def test_killed_at_every_step(make: Callable[..., Any], family: str) -> None:
    steps, images = undisturbed(make, family)
    assert_in_order(steps, ROAD[family])
    assert killed_at_each(make, family, range(1, len(steps) + 1), images) == steps


def test_killed_at_every_step_of_two_downloads(make: Callable[..., Any]) -> None:
    """Their steps come in any order: here only their number is that of the run before."""
    steps, images = undisturbed(make, "group")
    first = steps.index("download: sent") + 1
    killed_at_each(make, "group", range(first, len(steps) + 1), images)


def killed_at_each(
    make: Callable[..., Any], family: str, numbers: range, images: list[bytes]
) -> list[str]:
    """Kill a fresh run at each of these steps and run it again; the names of those steps."""

    def killed_at(number: int) -> str:
        with make(f"kill_{number}", family) as place:
            place.sandbox.faults.push("task", STILL_RUNNING)
            assert place.run(steps={"kill_at": number}) == {"status": "killed"}
            before, sent = place.trace(), place.posts
            assert len(before) == number
            assert_restarted(place, before, sent, images)
            return before[-1]

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(killed_at, numbers))


def assert_restarted(place: Place, before: list[str], sent: int, images: list[bytes]) -> None:
    """What promise 2 says about a second run, by how far the first one came."""
    states = place.states()
    outcome = place.run("second")
    if states == ["sending"]:
        assert reached(before, "sending") and not reached(before, "accepted")
        assert outcome["error"] == "OutcomeUnknown" and outcome["exit_code"] == 4
        assert outcome["key"] == "outcome_unknown_crash" and outcome["charge"] == "possible"
        assert place.posts == sent <= 1 and place.states() == ["unknown"]
        # The outcome stays the same ever after.
        assert place.run("third")["error"] == "OutcomeUnknown" and place.posts == sent
        return
    if states in ([], ["intended"]):
        assert sent == 0 and not any(step == "POST: first byte" for step in before)
    else:
        assert sent == 1
    assert outcome["status"] == "completed" and place.posts == 1
    assert place.images(outcome) == images
    third = place.run("third")
    assert third["origin"] == "stored" and place.images(third) == images and place.posts == 1
    assert place.states() == ["completed"]


def reached(trace: list[str], state: str) -> bool:
    """Whether that state had been written down."""
    return any(
        step.startswith(f"commit requests={state}") and step.endswith(": after") for step in trace
    )


def test_row_says_how_far_a_killed_run_came(make: Callable[..., Any]) -> None:
    """The states that the matrix above finds on the disk are those that were committed."""
    steps, _ = undisturbed(make, "evolink")
    for state, next_state in (
        ("intended", "sending"), ("sending", "accepted"), ("accepted", "answered"),
        ("answered", "completed"),
    ):  # fmt: skip
        begin = [f"commit requests={one}" for one in (state, next_state)]
        first = next(i for i, s in enumerate(steps, 1) if s.startswith(begin[0]) and "after" in s)
        last = next(i for i, s in enumerate(steps, 1) if s.startswith(begin[1]))
        for number in (first, last):
            with make(f"{state}_{number}") as place:
                place.sandbox.faults.push("task", STILL_RUNNING)
                place.run(steps={"kill_at": number})
                assert place.states() == [state], steps[number - 1]


@pytest.mark.parametrize("family", REQUESTS)
def test_killed_again_and_again(make: Callable[..., Any], family: str) -> None:
    """Every restart is killed too, somewhere, until one comes through."""
    dice = random.Random(7)  # noqa: S311
    _, images = undisturbed(make, family)
    for round_ in range(4):
        with make(f"round_{round_}", family) as place:
            for attempt in range(40):
                outcome = place.run(f"run_{attempt}", steps={"kill_at": dice.randint(3, 20)})
                assert place.posts <= 1
                if outcome["status"] != "killed":
                    break
            if outcome.get("error") == "OutcomeUnknown":
                assert place.states() == ["unknown"]
            else:
                assert outcome["status"] == "completed" and place.posts == 1
                assert place.images(outcome) == images


def wait_until(is_so: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends, "it never came to pass"
        time.sleep(0.002)


@pytest.mark.parametrize("family", REQUESTS)
def test_killed_while_the_service_has_the_request(make: Callable[..., Any], family: str) -> None:
    with make("held", family) as place:
        place.sandbox.hold()
        place.driver.begin(place.job())
        wait_until(lambda: place.sandbox.images_made)
        place.driver.kill()
        assert place.driver.end() == {"status": "killed"}
        place.sandbox.release()
        for _ in range(2):
            outcome = place.run("second")
            assert outcome["error"] == "OutcomeUnknown" and outcome["exit_code"] == 4
            assert outcome["charge"] == "possible" and "--forget 1" in outcome["message"]
        assert place.posts == 1


def test_killed_between_two_polls(make: Callable[..., Any]) -> None:
    _, images = undisturbed(make, "evolink")
    with make("between") as place:
        place.sandbox.faults.push("task", STILL_RUNNING, times=100_000)
        place.driver.begin(place.job())
        wait_until(lambda: place.sandbox.faults.waiting("task") < 99_990)
        place.driver.kill()
        assert place.driver.end() == {"status": "killed"}
        place.sandbox.faults.clear()
        outcome = place.run("second")
        assert outcome["status"] == "completed" and outcome["origin"] == "resumed"
        assert place.posts == 1 and place.images(outcome) == images


@pytest.mark.parametrize("family", REQUESTS)
def test_killed_in_the_middle_of_a_download(make: Callable[..., Any], family: str) -> None:
    _, images = undisturbed(make, family)
    with make("drip", family) as place:
        place.sandbox.faults.push("image", SlowDrip(1_000, 0.1), times=2)
        place.driver.begin(place.job())
        # An uploaded reference was fetched once before, to see that it is there.
        checked = 1 if "evolink" in str(family).lower() else 0
        wait_until(lambda: place.trace().count("download: answered") > checked)
        place.driver.kill()
        assert place.driver.end() == {"status": "killed"}
        assert place.trace().count("download: read") <= checked
        assert place.states() == ["answered"]
        place.sandbox.faults.clear()
        outcome = place.run("second")
        assert outcome["status"] == "completed" and outcome["origin"] == "resumed"
        assert place.posts == 1 and place.images(outcome) == images


def test_killed_while_polling_the_task_of_a_cut_response(make: Callable[..., Any]) -> None:
    """Its id is recorded before the service is asked about it."""
    with make("undisturbed") as place:
        place.sandbox.faults.push("generate", Truncated(0.5))
        assert place.run()["status"] == "completed"
        look = place.trace().index("poll: sent") + 1
    with make("torn") as place:
        place.sandbox.faults.push("generate", Truncated(0.5))
        assert place.run(steps={"kill_at": look}) == {"status": "killed"}
        assert place.states() == ["unknown"]
        assert place.run("second")["status"] == "completed" and place.posts == 1


def test_killed_collector_resumes(make: Callable[..., Any]) -> None:
    """Poll Task takes the same steps from the task id on, and the row is the generator's."""
    with make("collected") as place:
        task_id = place.run("submit", wait=False)["task_id"]
        trace_of = {"collect": task_id}
        number = 1
        while place.run(f"run_{number}", steps={"kill_at": number}, **trace_of) == {
            "status": "killed"
        }:
            number += 1
        outcome = place.run("last", **trace_of)
        assert outcome["status"] == "completed" and len(outcome["images"]) == 1
        assert number > 3 and place.posts == 1 and place.states() == ["completed"]


def test_refusal_that_a_crash_hid_stays_unknown(make: Callable[..., Any]) -> None:
    """It cannot be distinguished from a lost success: it is not sent again."""
    with make("refused", "preferential") as place:
        place.sandbox.faults.push("generate", Status(400))
        steps = place.run("whole")
        assert steps["error"] == "ApiRefused" or steps["exit_code"] == 3
    with make("refused_and_killed", "preferential") as place:
        place.sandbox.faults.push("generate", Status(400))
        number = place.folder.parent.joinpath("refused", "whole").read_text().splitlines()
        place.run(steps={"kill_at": number.index("POST: answered") + 1})
        assert place.run("second")["error"] == "OutcomeUnknown" and place.posts == 0
