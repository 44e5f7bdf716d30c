"""Several at once on the same request: one is sent, and everybody gets its images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from support.driver_process import PREFERENTIAL, Driver, Place
from support.fake_service import SANDBOX_KEY, Delay, FakeService
from support.paths import PACK_ROOT
from support.racing import SMALL

ROUNDS = 100


@pytest.fixture(scope="module")
def trio(folder: Path, service: FakeService) -> Iterator[list[Place]]:
    """Three processes with one home, each with an open session."""
    with Driver("stay") as one, Driver("stay") as two, Driver("stay") as three:
        places = [Place(folder, service, driver, SMALL) for driver in (one, two, three)]
        for place in places:
            place.driver.begin(place.job(request={**SMALL, "seed": -1}))
            assert place.driver.end()["status"] == "completed"
        yield places


@pytest.fixture
def pair(trio: list[Place]) -> list[Place]:
    return trio[:2]


def environment(place: Place) -> dict[str, str]:
    return {
        **os.environ,
        "SEEDREAM_HOME": str(place.home),
        "DEEPSPACE_BASE_URL": place.sandbox.url,
        "DEEPSPACE_API_KEY": SANDBOX_KEY,
    }


def command_line(place: Place, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PACK_ROOT / "seedream_api"), *arguments, "--json"],
        env=environment(place), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def both(pair: list[Place], **request: Any) -> list[dict[str, Any]]:
    """Let both processes ask for the same at the same moment."""
    for place in pair:
        place.driver.begin(place.job(request=request), first=False)
    return [place.driver.end() for place in pair]


def test_two_processes_race_a_hundred_times(pair: list[Place], service: FakeService) -> None:
    before, rows = len(service.posts), len(pair[0].states())
    origins: dict[str, int] = {}
    for round_ in range(1, ROUNDS + 1):
        base = PREFERENTIAL if round_ % 20 == 0 else SMALL
        one, other = both(pair, **{**base, "prompt": f"Cat {round_}"})
        assert one["status"] == other["status"] == "completed", (one, other)
        assert one["images"] == other["images"] and one["files"] == other["files"]
        assert len(service.posts) == before + round_
        first, second = sorted([one["origin"], other["origin"]])
        assert "new" in (first, second) and first != second, (one, other)
        origins[first] = origins.get(first, 0) + 1
    assert pair[0].states() == ["completed"] * (rows + ROUNDS)
    # They did meet: the second one mostly found the first one at work.
    assert origins.get("joined", 0) > ROUNDS // 4, origins


def test_live_owner_is_waited_for(pair: list[Place], service: FakeService) -> None:
    before = len(service.posts)
    request = {**PREFERENTIAL, "prompt": "A held cat"}
    service.hold()
    for place in pair:
        place.driver.begin(place.job(request=request), first=False)
    wait_until(lambda: len(service.posts) > before)
    time.sleep(0.3)
    assert len(service.posts) == before + 1 and pair[0].states()[-1] == "sending"
    service.release()
    one, other = [place.driver.end() for place in pair]
    assert one["images"] == other["images"] and len(service.posts) == before + 1
    assert {one["origin"], other["origin"]} == {"new", "joined"}


@pytest.mark.parametrize(("held", "state"), [("image", "answered"), ("generate", "sending")])
def test_of_several_waiters_one_takes_over(
    trio: list[Place], service: FakeService, held: str, state: str
) -> None:
    """The owner is killed; of three that wait, one continues, and all get its result."""
    request = {**SMALL, "prompt": f"A cat that is {state}"}
    with Driver() as driver:
        owner = Place(trio[0].folder, service, driver, request)
        sent, fetched = len(service.posts), owner.downloads
        service.faults.push(held, Delay(60.0))
        driver.begin(owner.job())
        wait_until(lambda: owner.states()[-1:] == [state])
        wait_until(lambda: owner.downloads > fetched or len(service.posts) > sent)
        for place in trio:
            place.driver.begin(place.job(request=request), first=False)
        time.sleep(0.2)
        driver.kill()
        assert driver.end() == {"status": "killed"}
        outcomes = [place.driver.end() for place in trio]
    assert len(service.posts) == sent + 1
    if state == "sending":
        assert [outcome["error"] for outcome in outcomes] == ["OutcomeUnknown"] * 3
        return
    assert len({tuple(outcome["images"]) for outcome in outcomes}) == 1
    assert {outcome["status"] for outcome in outcomes} == {"completed"}
    # The killed one had begun its download; one of the three made the only other.
    assert owner.downloads == fetched + 2


def test_process_that_takes_over_unsent_job_pays(
    trio: list[Place], service: FakeService, tmp_path: Path
) -> None:
    """The owner is killed before it sends; of two that wait, one sends, and says so."""
    picture = tmp_path / "reference.png"
    Image.new("RGB", (256, 256), (20, 200, 40)).save(picture)
    request = {**SMALL, "prompt": "A cat that is intended"}
    waiting = [Place(trio[0].folder, service, place.driver, request, (picture,)) for place in trio]
    with Driver() as driver:
        owner = Place(trio[0].folder, service, driver, request, (picture,))
        sent = len(service.posts)
        service.faults.push("upload", Delay(60.0))
        driver.begin(owner.job())
        wait_until(lambda: owner.states()[-1:] == ["intended"])
        for place in waiting:
            place.driver.begin(place.job(), first=False)
        time.sleep(0.4)
        service.faults.clear()
        driver.kill()
        assert driver.end() == {"status": "killed"}
        outcomes = [place.driver.end() for place in waiting]
    assert len(service.posts) == sent + 1
    assert {outcome["status"] for outcome in outcomes} == {"completed"}
    told = sorted((outcome["origin"], outcome["charged"]) for outcome in outcomes)
    assert told == [("joined", 0), ("joined", 0), ("new", 1)]


def test_two_hosts_and_the_command_line(pair: list[Place], service: FakeService) -> None:
    """A listing disturbs no request and sees every row whole."""
    stop, seen, failures = threading.Event(), [0], []

    def listing() -> None:
        while not stop.is_set():
            try:
                tasks = command_line(pair[0], "tasks")["tasks"]
                assert len({task["id"] for task in tasks}) == len(tasks)
                assert all(task["images"] for task in tasks if task["state"] == "completed")
                seen[0] += 1
            except Exception as failure:  # noqa: BLE001 - handed to the test's own thread
                failures.append(failure)
                return

    thread = threading.Thread(target=listing)
    thread.start()
    before, rows = len(service.posts), len(pair[0].states())
    rounds = 0
    while seen[0] < 3 and thread.is_alive():
        rounds += 1
        one, other = both(pair, **{**SMALL, "prompt": f"Listed cat {rounds}"})
        assert one["images"] == other["images"]
    stop.set()
    thread.join()
    assert not failures and len(service.posts) == before + rounds
    assert len(command_line(pair[0], "tasks")["tasks"]) == rows + rounds


def wait_until(is_so: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends, "it never came to pass"
        time.sleep(0.005)
