"""Races within one process, and the locks of owners."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

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
from seedream_api.ledger import claims, limits
from seedream_api.ledger.database import Database
from seedream_api.ledger.ledger import Ledger, SyncLedger
from seedream_api.ledger.states import JobSpec, State
from support.driver_process import PREFERENTIAL
from support.fake_service import SANDBOX_KEY, FakeService
from support.racing import SMALL


def intent(name: str = "one") -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.0", address="http://127.0.0.1:1",
        key_fingerprint="0", prompt=name, fields={}, references=(), seed=0, asked=1,
    )  # fmt: skip


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
def test_closed_ledger_is_a_dead_owner(ledgers: list[SyncLedger], is_reused: bool) -> None:
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
def test_waiter_on_other_process_notices_when_it_stops(
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
        reserve = Halted(session.ledger, limits.reserve, lambda *_: True)
        sending = asyncio.create_task(generate(Request(**SMALL), session))
        await reserve.reached()
        closing = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        reserve.let_go()
        await closing
        with pytest.raises(Interrupted):
            await sending

    before = len(service.posts)
    asyncio.run(road())
    assert len(service.posts) == before and states_at(home) == ["withdrawn"]


def test_session_that_cannot_be_opened_leaves_no_living_owner(home: Path) -> None:
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
