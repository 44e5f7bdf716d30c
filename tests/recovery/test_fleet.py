"""A short night of the fleet recipe: Celery, Redis, two machines, one PostgreSQL ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fleet import Fleet
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer


def test_fleet_under_kills_and_cuts_pays_once_and_fetches_all(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    pytest.importorskip("celery")
    fleet = Fleet(
        tmp_path, postgres, redis, intents=30, workers=2, processes=2, kills=3, cuts=2, seed=1
    )
    fleet.run()
    assert set(fleet.posts.values()) == {1}
    # A process was killed after it had recorded a request as sending, before or after it sent it.
    assert fleet.outcomes["unknown"] <= fleet.kills * fleet.processes
    assert fleet.outcomes["fetched"] + fleet.outcomes["unknown"] == fleet.intents
    assert fleet.outcomes["fetched"] <= len(fleet.posts) <= fleet.intents
    assert fleet.list_unfinished() == [] and fleet.unrecorded == set()
