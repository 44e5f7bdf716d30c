"""Several at once on the same request: one is sent, and everybody gets its images."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seedream_api import (
    Interrupted,
    Request,
    Result,
    SeedreamError,
    Session,
    WaitTimedOut,
    generate,
    load_settings,
)
from seedream_api.jobs.cancellation import interruption_of
from seedream_api.ledger import claims, owner_lock, transitions
from seedream_api.ledger.database import Database
from seedream_api.ledger.ledger import Ledger, SyncLedger
from seedream_api.ledger.states import JobSpec, State
from support.driver_process import EVOLINK, PREFERENTIAL, Driver, Place, sandbox_at
from support.fake_service import SANDBOX_KEY, Delay, FakeService
from support.paths import PACK_ROOT

ROUNDS = 100
SMALL = {**EVOLINK, "size": "1:1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("races")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[FakeService]:
    with sandbox_at(folder) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def trio(folder: Path, service: FakeService) -> Iterator[list[Place]]:
    """Three processes with one home, each with an open session of its own."""
    with Driver("stay") as one, Driver("stay") as two, Driver("stay") as three:
        places = [Place(folder, service, driver, SMALL) for driver in (one, two, three)]
        for place in places:
            place.driver.begin(place.job(request={**SMALL, "seed": -1}))
            assert place.driver.end()["status"] == "completed"
        yield places


@pytest.fixture
def pair(trio: list[Place]) -> list[Place]:
    return trio[:2]


def intent(name: str = "one") -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.0", address="http://127.0.0.1:1",
        key_fingerprint="0", prompt=name, fields={}, references=(), seed=0, asked=1,
    )  # fmt: skip


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


# ---- between processes ----


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


def test_a_live_owner_is_waited_for(pair: list[Place], service: FakeService) -> None:
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
    """The owner is killed; of three that wait, one goes on, and all get what it gets."""
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
    """A listing disturbs nobody and sees every entry whole."""
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


# ---- within one process ----


@pytest.fixture
def ledgers(home: Path) -> Iterator[list[SyncLedger]]:
    made = [SyncLedger(home), SyncLedger(home)]
    yield made
    for ledger in made:
        ledger.close()


def test_two_ledgers_of_one_process(ledgers: list[SyncLedger]) -> None:
    one, other = ledgers
    mine = one.claim(intent(), "key")
    assert mine.owner == one.owner and mine.state is State.INTENDED
    seen = other.claim(intent(), "other key")
    assert (seen.id, seen.owner, seen.idempotency_key) == (mine.id, one.owner, "key")
    with pytest.raises(ValueError, match="worked on"):
        other.forget(mine.id)
    one.release(mine.id)
    assert other.claim(intent(), "third key").owner == other.owner


@pytest.mark.parametrize("is_reused", [True, False])
def test_a_closed_ledger_is_a_dead_owner(ledgers: list[SyncLedger], is_reused: bool) -> None:
    one, other = ledgers
    intended = one.claim(intent(), "key")
    sending = one.claim(intent("sent"), "key")
    one.move(sending.id, State.SENDING)
    one.close()
    assert other.claim(intent(), "new", reuse=is_reused).idempotency_key == "key"
    taken = other.claim(intent("sent"), "new", reuse=is_reused)
    assert taken.state is State.UNKNOWN and taken.error is not None
    assert taken.error.may_have_been_charged and intended.id != sending.id


def test_many_threads_claim_one_dead_row(home: Path) -> None:
    dead = SyncLedger(home)
    row = dead.claim(intent(), "key")
    dead.close()
    ledgers = [SyncLedger(home) for _ in range(8)]
    start, winners = threading.Barrier(len(ledgers)), []

    def claim(ledger: SyncLedger) -> None:
        start.wait()
        if ledger.claim(intent(), "new").owner == ledger.owner:
            winners.append(ledger.owner)

    threads = [threading.Thread(target=claim, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert ledgers[0].get_record(row.id).owner == winners[0]
    for ledger in ledgers:
        ledger.close()


def test_two_sessions_of_one_process(home: Path, service: FakeService) -> None:
    """ComfyUI with changed settings has two of them side by side."""
    settings = load_settings(
        home, {"DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": SANDBOX_KEY}
    )

    async def at_once() -> list[Result]:
        async with Session(settings) as one, Session(settings) as other:
            return await asyncio.gather(
                *(generate(Request(**SMALL), session) for session in (one, other, one, other))
            )

    before = len(service.posts)
    results = asyncio.run(at_once())
    assert len(service.posts) == before + 1
    assert len({result.images[0].sha256 for result in results}) == 1


# ---- locks ----


class Halted:
    """An operation of a ledger that stops on its thread just before it returns, until let go."""

    def __init__(
        self, ledger: Ledger, operation: Callable[..., Any], is_meant: Callable[..., bool]
    ) -> None:
        self._real, self._is_meant = operation, is_meant
        self.was_reached, self._may_return = threading.Event(), threading.Event()
        setattr(ledger, operation.__name__, partial(ledger.database.run, self._halt))

    def _halt(self, database: Database, *args: Any, **kwargs: Any) -> Any:
        made = self._real(database, *args, **kwargs)
        if self._is_meant(*args):
            self.was_reached.set()
            assert self._may_return.wait(15)
        return made

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.was_reached.wait, 15)

    def let_go(self) -> None:
        self._may_return.set()


@pytest.fixture
def sessions(home: Path, service: FakeService) -> Callable[[], Session]:
    settings = load_settings(
        home, {"DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": SANDBOX_KEY}
    )
    return lambda: Session(settings)


def test_request_cancelled_while_claimed_blocks_no_other(
    sessions: Callable[[], Session], service: FakeService, home: Path
) -> None:
    async def road() -> Result:
        async with sessions() as one, sessions() as other:
            claim = Halted(one.ledger, claims.claim, lambda *_: True)
            cancelled = asyncio.create_task(generate(Request(**SMALL), one))
            await claim.reached()
            cancelled.cancel()
            claim.let_go()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            return await asyncio.wait_for(generate(Request(**SMALL), other), 15)

    before = len(service.posts)
    assert asyncio.run(road()).status == "completed"
    assert len(service.posts) == before + 1
    assert states_at(home) == ["withdrawn", "completed"]


@pytest.mark.parametrize("family", [SMALL, PREFERENTIAL], ids=["evolink", "preferential"])
def test_waiter_on_other_process_is_told_when_it_stops(
    sessions: Callable[[], Session], service: FakeService, family: dict[str, Any]
) -> None:
    request = Request(**{**family, "prompt": "Sent by another"})

    async def road() -> tuple[SeedreamError, WaitTimedOut]:
        async with sessions() as one, sessions() as other:
            first = asyncio.create_task(generate(request, one))
            while len(service.posts) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            for _ in range(20):  # until the time was enough to look into the record
                with pytest.raises(WaitTimedOut) as late:
                    await generate(request, other, timeout_s=0.3)
                if late.value.may_have_been_charged:
                    break
            while other.running_jobs:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            second = asyncio.create_task(generate(request, other))
            while not any(work.is_sent_elsewhere for work in other.running_jobs.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            second.cancel()
            with pytest.raises(asyncio.CancelledError) as told:
                await second
            service.release()
            assert (await first).status == "completed"
            return interruption_of(told.value), late.value

    before = len(service.posts)
    service.hold()
    told, late = asyncio.run(road())
    assert told.key == "interrupted_elsewhere" and told.may_have_been_charged
    assert late.key == "answer_timed_out" and late.may_have_been_charged
    assert len(service.posts) == before + 1


def test_close_before_first_byte_leaves_nothing_unknown(
    sessions: Callable[[], Session], service: FakeService, home: Path
) -> None:
    async def road() -> None:
        session = await sessions().__aenter__()
        move = Halted(session.ledger, transitions.move, lambda _, state: state is State.SENDING)
        sending = asyncio.create_task(generate(Request(**SMALL), session))
        await move.reached()
        closing = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        move.let_go()
        await closing
        with pytest.raises(Interrupted):
            await sending

    before = len(service.posts)
    asyncio.run(road())
    assert len(service.posts) == before and states_at(home) == ["withdrawn"]


def test_a_session_that_cannot_be_opened_leaves_no_living_owner(home: Path) -> None:
    settings = load_settings(home, {"DEEPSPACE_BASE_URL": "sandbox"})
    home.mkdir()
    (home / "sandbox").write_text("a file where the sandbox wants a folder")

    async def road() -> None:
        async with Session(settings):
            pass

    with pytest.raises(FileExistsError):
        asyncio.run(road())
    assert list((home / "owners").glob("*.lock")) == []


def states_at(home: Path) -> list[str]:
    ledger = SyncLedger(home)
    try:
        return [row.state.value for row in reversed(ledger.list_records())]
    finally:
        ledger.close()


def test_an_owner_is_alive_as_long_as_its_lock(tmp_path: Path) -> None:
    owner = owner_lock.OwnerLock(tmp_path)
    assert owner_lock.is_alive(tmp_path, owner.name) and owner_lock.is_alive(tmp_path, owner.name)
    owner_lock.remove_stale_locks(tmp_path)
    assert owner_lock.is_alive(tmp_path, owner.name)
    owner.release()
    owner.release()
    assert not owner_lock.is_alive(tmp_path, owner.name) and not list(tmp_path.iterdir())


def test_the_dead_are_swept(tmp_path: Path) -> None:
    (tmp_path / "dead.lock").touch()
    owner = owner_lock.OwnerLock(tmp_path)
    owner_lock.remove_stale_locks(tmp_path)
    assert [path.stem for path in tmp_path.iterdir()] == [owner.name]
    owner.release()


def test_a_sweep_never_takes_the_file_of_a_living_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that is made while somebody looks at its file either holds, or is made anew."""
    path = tmp_path / "new.lock"
    path.touch()
    descriptors: list[int] = []
    close = os.close

    def close_and_be_overtaken(descriptor: int) -> None:
        close(descriptor)
        if not descriptors:  # the maker of the lock, which opened the file before, comes in here
            descriptors.append(maker)
            is_locked.append(owner_lock.try_lock(maker) and path.exists())

    is_locked: list[bool] = []
    maker = os.open(path, os.O_RDWR)
    monkeypatch.setattr(owner_lock.os, "close", close_and_be_overtaken)
    assert not owner_lock.is_alive(tmp_path, "new")
    monkeypatch.undo()
    assert is_locked == [path.exists()]
    close(maker)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_keep_its_parent_alive(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path\n"
        f"sys.path.insert(0, {str(PACK_ROOT)!r})\n"
        "from seedream_api.ledger.owner_lock import OwnerLock\n"
        f"owner = OwnerLock(Path({str(tmp_path)!r}))\n"
        "child = os.fork()\n"
        # The child tells the name: it has let go of the lock by then.
        "if child == 0:\n    print(owner.name, flush=True); sys.stdin.read(); os._exit(0)\n"
        "os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        name = process.stdout.readline().strip()
        process.wait(20)
        assert name and not owner_lock.is_alive(tmp_path, name)
        process.stdin.close()
