"""Recovery after a crash: what was paid for is fetched, and nothing is sent again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from seedream_api import SeedreamError
from seedream_api.errors import AuthenticationFailed, NotSent, OutcomeUnknown, ResultUnavailable
from seedream_api.jobs.recovery import LONGEST_RETRY_S, RETRY_S, Attempts, Recovered, recover
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from support.fake_service import DropAfterReceipt, ExpiredLink, Json, Status

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"


@pytest.fixture
def attempts(api_client: Any) -> Attempts:
    return Attempts(api_client.clock)


def run_round(api_client: Any, attempts: Attempts, **environ: str) -> Recovered:
    return api_client.run(lambda session: recover(session, attempts), **environ)


def leave_answered(api_client: Any, prompt: str = "A dog") -> None:
    """Pay for an image whose link does not work yet."""
    api_client.sandbox.faults.push("image", Status(503), times=100)
    with pytest.raises(ResultUnavailable):
        api_client.generate(model=NOW_5, prompt=prompt)
    api_client.sandbox.faults.clear()


def leave_unknown(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", DropAfterReceipt())
    with pytest.raises(OutcomeUnknown):
        api_client.generate(model=LATER_40, prompt="A bird")


def downloads(api_client: Any) -> list[str]:
    paths = [request.path for request in api_client.sandbox.requests if request.method == "GET"]
    return [path for path in paths if path.startswith("/results/")]


def set_key(api_client: Any, row_id: int, value: str) -> None:
    with closing(sqlite3.connect(api_client.home / "ledger.sqlite")) as db:
        db.execute("UPDATE requests SET key_print = ? WHERE id = ?", (value, row_id))
        db.commit()


def test_recover_fetches_both_result_forms(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False, prompt="2 images of a cat", n=2)
    leave_answered(api_client)
    assert api_client.states == ["accepted", "answered"]
    round_ = run_round(api_client, attempts)
    assert set(round_.stored) == {1, 2} and round_.images == 3 and not round_.failed
    assert api_client.states == ["completed", "completed"] and api_client.sent == 2
    assert run_round(api_client, attempts) == Recovered()


def test_recovered_images_are_not_pruned_unseen(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False)
    run_round(api_client, attempts)
    [row] = api_client.rows
    assert row.delivered_at is None
    ledger = SyncLedger(api_client.home, now=lambda: api_client.clock.at + 1e6)
    ledger.prune(ImageStore(api_client.home), keep_bytes=0)
    ledger.close()
    assert api_client.generate().images and api_client.sent == 1


def test_recover_polls_running_task_once_per_round(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    attempts = Attempts(api_client.clock)
    task_id = api_client.generate(wait=False).task_id
    for polls in (1, 2):
        assert run_round(api_client, attempts).running == (1,)
        asked = [one for one in api_client.sandbox.requests if one.path.endswith(task_id)]
        assert len(asked) == polls
    api_client.sandbox.finish_tasks()
    assert run_round(api_client, attempts).stored == (1,) and api_client.sent == 1


def test_recover_leaves_other_key_and_address_alone(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False)
    set_key(api_client, 1, "other")
    count = len(api_client.sandbox.requests)
    assert run_round(api_client, attempts) == Recovered(other_key=(1,))
    elsewhere = run_round(api_client, attempts, DEEPSPACE_BASE_URL="http://127.0.0.1:9")
    assert elsewhere == Recovered(other_address=(1,))
    assert len(api_client.sandbox.requests) == count and api_client.states == ["accepted"]


def test_recover_backs_off_from_dead_links(api_client: Any, attempts: Attempts) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(), times=100)
    with suppress(SeedreamError):
        api_client.generate(model=NOW_5)
    pauses: list[float] = []
    for _ in range(12):
        round_ = run_round(api_client, attempts)
        assert list(round_.failed) == [1] and not round_.stored
        count, before = len(downloads(api_client)), api_client.clock.at
        while not attempts.is_due(1):
            assert run_round(api_client, attempts).waiting == (1,)
            api_client.clock.at += RETRY_S / 2
        assert len(downloads(api_client)) == count, "a row that is not due costs no request"
        pauses.append(api_client.clock.at - before)
    assert pauses == sorted(pauses) and RETRY_S <= pauses[0] <= 2 * RETRY_S
    assert LONGEST_RETRY_S <= pauses[-1] <= LONGEST_RETRY_S + RETRY_S
    assert api_client.sent == 1


def test_recover_ends_round_when_service_is_away(api_client: Any, attempts: Attempts) -> None:
    for seed in range(6):
        api_client.generate(wait=False, seed=seed)
    api_client.sandbox.faults.push("task", Status(401), times=1000)
    round_ = run_round(api_client, attempts, SEEDREAM_MAX_DOWNLOADS="1")
    asked = [one for one in api_client.sandbox.requests if one.method == "GET"]
    assert len(asked) == 3 and len(round_.failed) == 6
    assert all(isinstance(error, AuthenticationFailed) for error in round_.failed.values())
    api_client.sandbox.faults.clear()
    assert len(run_round(api_client, attempts).stored) == 3
    api_client.clock.at += RETRY_S
    assert len(run_round(api_client, attempts).stored) == 3 and api_client.sent == 6


def test_recover_without_network_changes_no_row(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False)
    api_client.sandbox.stop()
    [error] = run_round(api_client, attempts).failed.values()
    assert isinstance(error, NotSent) and error.may_have_been_charged
    assert api_client.states == ["accepted"]


def test_recover_tries_unknown_with_hint_once(api_client: Any, attempts: Attempts) -> None:
    leave_unknown(api_client)
    with closing(sqlite3.connect(api_client.home / "ledger.sqlite")) as db:
        db.execute("UPDATE requests SET task_id = 'task-none'")
        db.commit()
    round_ = run_round(api_client, attempts)
    assert list(round_.failed) == [1]
    count = len(api_client.sandbox.requests)
    api_client.clock.at += 10 * LONGEST_RETRY_S
    assert run_round(api_client, attempts).waiting == (1,)
    assert len(api_client.sandbox.requests) == count and api_client.sent == 1


def test_recover_skips_unknown_without_hint(api_client: Any, attempts: Attempts) -> None:
    leave_unknown(api_client)
    assert run_round(api_client, attempts) == Recovered()


def test_recover_reports_failed_task_as_ended(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False)
    failed = {"id": "t", "status": "failed", "error": {"code": "x", "message": "no"}}
    api_client.sandbox.faults.push("task", Json(failed))
    round_ = run_round(api_client, attempts)
    assert round_.ended == (1,) and api_client.states == ["failed"] and api_client.sent == 1


def test_two_recoveries_fetch_each_image_once(api_client: Any) -> None:
    for seed in range(8):
        api_client.generate(wait=False, seed=seed)

    async def recover_twice(first: Any) -> list[Recovered]:
        async with api_client.session() as second:
            rounds = [recover(one, Attempts(api_client.clock)) for one in (first, second)]
            return list(await asyncio.gather(*rounds))

    rounds = api_client.run(recover_twice)
    stored = [row for round_ in rounds for row in round_.stored]
    assert sorted(stored) == list(range(1, 9)), "each row is stored by one of them"
    assert len(downloads(api_client)) == len(set(downloads(api_client))) == 8
    assert api_client.sent == 8 and set(api_client.states) == {"completed"}


def test_recover_leaves_row_of_live_owner(api_client: Any, attempts: Attempts) -> None:
    api_client.generate(wait=False)

    async def recover_beside(session: Any) -> Recovered:
        async with api_client.session() as other:
            row = await other.ledger.claim_row(1)
            assert row.owner == other.ledger.owner
            return await recover(session, attempts)

    assert api_client.run(recover_beside) == Recovered()


# ---- tasks --collect ----


def run_collect(api_client: Any, out: Path) -> Any:
    return api_client.inside("tasks", "--collect", "--out", out, "--json")


def test_tasks_collect_fetches_and_says_what_runs(
    make_sandbox: Any, make_api_client: Any, tmp_path: Path
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    for seed in (1, 2):
        api_client.generate(wait=False, seed=seed)
    ran = run_collect(api_client, tmp_path)
    assert (ran.code, [task["status"] for task in ran.json["tasks"]]) == (5, ["running"] * 2)
    api_client.sandbox.finish_tasks()
    leave_answered(api_client)
    ran = run_collect(api_client, tmp_path)
    assert (ran.code, [task["status"] for task in ran.json["tasks"]]) == (0, ["fetched"] * 3)
    assert [Path(image["path"]).is_file() for image in ran.json["images"]] == [True] * 3
    again = api_client.inside("tasks", "--collect", "--out", tmp_path)
    assert again.code == 0 and "There is nothing to fetch with this key." in again.out
    assert api_client.sent == 3 and all(row.delivered_at for row in api_client.rows)


def test_tasks_collect_says_what_it_leaves(api_client: Any, tmp_path: Path) -> None:
    api_client.generate(wait=False)
    set_key(api_client, 1, "other")
    leave_unknown(api_client)
    ran = run_collect(api_client, tmp_path)
    assert (ran.code, ran.json["other_key"]) == (0, [1])
    [unknown] = ran.json["unknown"]
    assert unknown["id"] == 2 and f"log for {LATER_40} at 20" in unknown["message"]
    assert "entries 1" in api_client.inside("tasks", "--collect", "--out", tmp_path).out


def test_tasks_collect_of_dead_link_is_a_failure(api_client: Any, tmp_path: Path) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(), times=1000)
    with suppress(SeedreamError):
        api_client.generate(model=NOW_5)
    ran = run_collect(api_client, tmp_path)
    assert ran.code == 1 and ran.json["tasks"][0]["status"] == "failed"
    assert "not paid for again" in ran.json["tasks"][0]["error"] and api_client.sent == 1
