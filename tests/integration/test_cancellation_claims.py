"""A request cancelled while it claims its row leaves the rows of others alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seedream_api import collect, generate
from seedream_api.errors import LedgerFailed
from seedream_api.jobs.collect import resume
from seedream_api.ledger.queries import get_record
from support.async_helpers import Held, cancelled, soon
from support.sample_requests import NOW_5, cat


@pytest.mark.parametrize("is_full", [False, True])
def test_cancel_of_claimed_job_spares_equal_request(api_client: Any, is_full: bool) -> None:
    async def road(session: Any) -> Any:
        claim, run = session.ledger.claim, Held(session.ledger.database, "run", only="claim")

        def claim_in_vain(*_args: Any) -> Any:
            raise LedgerFailed("ledger_unwritable", path=session.ledger.path, reason="disk full")

        async def claim_once_in_vain(*_args: Any, **_options: Any) -> Any:
            session.ledger.claim = claim
            await session.ledger.database.run(claim_in_vain)

        if is_full:
            session.ledger.claim = claim_once_in_vain
        first = asyncio.create_task(generate(cat(), session))
        await run.reached.wait()
        first.cancel()
        second = asyncio.create_task(generate(cat(), session))
        with pytest.raises(asyncio.CancelledError):
            await first
        run.let_go()
        return await second

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


def test_cancel_while_claiming_leaves_row_of_other_process(
    api_client: Any,
) -> None:
    async def road(session: Any) -> Any:
        async with api_client.session() as other:
            bring = Held(other.resources.uploader, "resolve_references")
            theirs = asyncio.create_task(generate(cat(), other))
            await bring.reached.wait()
            run = Held(session.ledger.database, "run", only="claim")
            mine = asyncio.create_task(generate(cat(), session))
            await run.reached.wait()
            await cancelled(mine)
            run.let_go()
            await soon(lambda: not session.running_jobs)
            bring.let_go()
            return await theirs

    assert len(api_client.run(road).images) == 1
    assert api_client.sent == 1 and api_client.states == ["completed"]


def test_cancel_while_claiming_task_releases_it(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id
    api_client.sandbox.finish_tasks()

    async def road(session: Any) -> Any:
        database = session.ledger.database
        run = Held(database, "run")

        async def hold_adopt(call: Any, *args: Any, **more: Any) -> Any:
            wanted = run if call.__name__ == "claim_task" else run._real
            return await wanted(call, *args, **more)

        database.run = hold_adopt
        taking = asyncio.create_task(collect(task_id, session))
        await run.reached.wait()
        await cancelled(taking)
        run.let_go()
        await soon(lambda: not session.running_jobs)
        assert get_record(database, 1).owner is None
        async with api_client.session() as other:
            return await collect(task_id, other)

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


def test_cancel_while_claiming_leaves_row_of_other_job(
    api_client: Any,
) -> None:
    async def road(session: Any) -> Any:
        fetch = Held(session.resources.downloader, "fetch")
        working = asyncio.create_task(generate(cat(NOW_5), session))
        await fetch.reached.wait()
        run = Held(session.ledger.database, "run")
        row = get_record(session.ledger.database, 1)
        resuming = asyncio.create_task(resume(row, session))
        await run.reached.wait()
        await cancelled(resuming)
        run.let_go()
        await soon(lambda: len(session.running_jobs) == 1)
        assert get_record(session.ledger.database, 1).owner == session.ledger.owner
        fetch.let_go()
        return await working

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1
