"""The servers that tests start: none outlives a failed start or a block that ends early."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from support.postgres_server import PostgresServer
from support.redis_server import RedisServer


def test_stopped_postgres_server_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_stop(server: PostgresServer, program: str, *arguments: str) -> None:
        assert "stop" not in arguments, "no server is running"

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(PostgresServer, "_run", fail_to_stop)
    with PostgresServer():
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_postgres_server_that_fails_to_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(server: PostgresServer, program: str, *_: str) -> None:
        assert program == "initdb", "cannot start"

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(PostgresServer, "_run", fail)
    with pytest.raises(AssertionError, match="cannot start"):
        PostgresServer()
    assert not list(tmp_path.iterdir())


def test_redis_server_that_fails_to_start_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RedisServer] = []

    def fail(server: RedisServer) -> bool:
        begun.append(server)
        raise AssertionError("cannot start")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(RedisServer, "_responds", fail)
    with pytest.raises(AssertionError, match="cannot start"):
        RedisServer()
    assert begun[0]._process.poll() is not None and not list(tmp_path.iterdir())
