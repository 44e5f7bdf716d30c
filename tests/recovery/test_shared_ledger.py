"""One PostgreSQL ledger under several machines: kills, cut connections and a stopped server."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from support.limit_race import LIMIT_IMAGES, Race
from support.postgres_server import PostgresServer
from support.shared_race import SharedRace


def test_machines_with_one_ledger_pay_once_for_each_image(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    race = SharedRace(tmp_path, postgres, intents=14, processes=3, kills=2, cuts=3, seed=3)
    race.run()
    assert race.posts and max(race.posts.values()) == 1, "an image was paid for twice"
    assert race.last["completed"] + race.last["unknown"] == race.intents
    # A process was killed after it had recorded a request as sending; each sends four at once.
    assert race.last["unknown"] <= race.kills * 4 and race.outcomes["killed"] == race.kills
    ledger = SyncLedger(tmp_path / "machine_0", SecretStr(postgres.url()))
    rows = ledger.list_records()
    ledger.close()
    assert race.keys <= {row.idempotency_key for row in rows}, "sent without a row"
    ended = [row for row in rows if row.state in (State.COMPLETED, State.UNKNOWN)]
    # Withdrawn: the ledger was lost before the request was sent.
    assert {row.state for row in rows if row not in ended} <= {State.WITHDRAWN}
    assert len(ended) == race.intents and {row.owner for row in rows} == {None}


def test_machines_at_a_limit_send_exactly_what_fits(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    race = Race(
        tmp_path, "images", processes=2, intents=30, kills=1, seed=5, ledger=postgres.new_ledger()
    )
    race.run()
    assert race.find_breaches() == [] and race.outcomes["limit"] > 0
    assert len(race.taken) >= LIMIT_IMAGES - 4
