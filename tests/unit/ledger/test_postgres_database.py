"""A ledger in PostgreSQL: who owns its rows, and what happens when the connection is lost."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from seedream_api.config.limits import Limit, Limits
from seedream_api.errors import Charge, LedgerFailed, LimitReached, SeedreamError
from seedream_api.jobs.resources import open_resources
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation
from seedream_api.ledger.states import State
from seedream_api.network.clock import Clock
from seedream_api.service.result_items import ResultItem
from support.ledger_kit import Open, wait_until_dead
from support.postgres_server import PASSWORD, PostgresServer
from support.saved_settings import load
from support.transition_kit import ADDRESS, wish

FREE = Reservation("run", "Seedream-4.5", None, Limits())


def key_of(call: Callable[[], object]) -> str:
    with pytest.raises(SeedreamError) as caught:
        call()
    assert caught.value.charge is Charge.NONE
    return caught.value.key


def test_row_of_live_machine_is_left_to_it(machine: Open) -> None:
    one, other = machine(), machine()
    row = one.claim(wish("a"), "key")
    assert other.claim(wish("a"), "other").owner == one.owner
    one.close()
    wait_until_dead(other, one.owner)
    taken = other.claim(wish("a"), "other")
    assert taken.id == row.id and taken.owner == other.owner and taken.idempotency_key == "key"


@pytest.mark.parametrize("state", [State.INTENDED, State.SENDING])
def test_cut_machine_cannot_move_a_row_taken_over(
    machine: Open, postgres: PostgresServer, state: State
) -> None:
    one, other = machine(), machine()
    row = one.claim(wish("a"), "key")
    if state is State.SENDING:
        one.reserve(row.id, FREE)
    assert postgres.cut_connections() >= 2
    taken = other.claim(wish("a"), "other")
    assert taken.owner == other.owner
    assert taken.state is (State.UNKNOWN if state is State.SENDING else State.INTENDED)
    for write in (
        lambda: one.reserve(row.id, FREE),
        lambda: one.move(row.id, State.INTENDED),
        lambda: one.record_response(row.id, (ResultItem(0, url="https://a.example/1"),), {}),
        lambda: one.mark_missing(row.id, [0]),
        lambda: one.set_profile(row.id, "print", "studio"),
    ):
        assert key_of(write) == "row_taken_over"
    one.release(row.id)
    assert replace(other.get_record(row.id), error=None) == replace(taken, error=None)


def test_cut_machine_keeps_rows_that_were_left_alone(
    machine: Open, postgres: PostgresServer
) -> None:
    one, other = machine(), machine()
    row, name = one.claim(wish("a"), "key"), one.owner
    postgres.cut_connections()
    assert one.reserve(row.id, FREE).state is State.SENDING and one.owner == name
    assert other.is_owner_alive(name) and other.claim(wish("a"), "other").owner == name


def test_cut_sender_records_outcome_of_abandoned_row(
    machine: Open, postgres: PostgresServer
) -> None:
    one, other = machine(), machine()
    row = one.claim(wish("a"), "key")
    one.reserve(row.id, FREE)
    postgres.cut_connections()
    assert other.claim(wish("a"), "other").state is State.UNKNOWN
    accepted = State.ACCEPTED
    assert key_of(lambda: one.move(row.id, accepted, task_id="t")) == "row_taken_over"
    other.release(row.id)
    found = one.move(row.id, accepted, task_id="t")
    assert found.state is accepted and found.owner == one.owner and found.task_id == "t"


def test_connection_held_by_frozen_server_side_is_replaced(
    machine: Open, postgres: PostgresServer
) -> None:
    one, other = machine(), machine()
    row = one.claim(wish("a"), "key")
    link = one.database._link  # type: ignore[attr-defined]
    kept, link._connection = link._connection, None  # the server takes it for alive
    with closing(kept):
        assert one.reserve(row.id, FREE).state is State.SENDING
        assert other.is_owner_alive(one.owner)
        with pytest.raises(psycopg.OperationalError):
            kept.execute("SELECT 1")


def test_stopped_server_is_an_error_and_loses_nothing(
    machine: Open, postgres: PostgresServer
) -> None:
    ledger = machine()
    row = ledger.claim(wish("a"), "key")
    left = ledger.claim(wish("b"), "key")
    postgres.stop()
    try:
        assert key_of(lambda: ledger.reserve(row.id, FREE)) == "ledger_unreachable"
        assert key_of(lambda: ledger.list_records()) == "ledger_unreachable"
        assert key_of(lambda: ledger.release(left.id)) == "ledger_unreachable"
    finally:
        postgres.start()
    assert ledger.reserve(row.id, FREE).state is State.SENDING
    assert ledger.get_record(left.id).owner is None, "it is released as soon as that is possible"


def test_ledger_whose_connection_was_cut_is_usable(machine: Open, postgres: PostgresServer) -> None:
    ledger = machine()
    postgres.cut_connections()
    assert not ledger.is_unusable


def test_equal_requests_of_many_machines_make_one_row(machine: Open) -> None:
    ledgers = [machine() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        rows = [*threads.map(lambda ledger: ledger.claim(wish("a"), ledger.owner), ledgers)]
    assert len({row.id for row in rows}) == 1 == len({row.owner for row in rows})


def test_limit_holds_across_machines(machine: Open) -> None:
    ledgers, limit = [machine() for _ in range(4)], Limits(day=Limit(Decimal(5)))
    reservation = replace(FREE, limits=limit)

    def reserve_all(ledger: SyncLedger) -> int:
        sent = 0
        for number in range(3):
            row = ledger.claim(replace(wish(f"{ledger.owner}{number}"), asked=1), "key")
            try:
                sent += ledger.reserve(row.id, reservation).state is State.SENDING
            except LimitReached:
                continue
        return sent

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(reserve_all, ledgers)) == 5


def test_durable_writes_wait_for_the_disk_and_standbys(machine: Open) -> None:
    database = machine().database
    for durable, setting in ((True, "on"), (False, "off")):
        with database.write(durable=durable):
            found = database.execute("SHOW synchronous_commit").fetchone()
        assert found["synchronous_commit"] == setting


def test_times_come_from_the_server(machine: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = machine()
    monkeypatch.setattr("time.time", lambda: 5.0)
    row = ledger.claim(wish("a"), "key")
    assert row.created_at > 1.7e9 and ledger.database.now() >= row.created_at


def test_texts_of_a_service_can_be_long_or_hold_nul(machine: Open) -> None:
    ledger = machine()
    row = ledger.claim(wish("a"), "key")
    ledger.reserve(row.id, FREE)
    url = f"https://a.example/{os.urandom(4000).hex()}"
    ledger.record_response(row.id, (ResultItem(0, url=url),), {}, task_id=f"t\0{url}")
    file = ImageStore(ledger.database.home).add_bytes(b"\x89PNG\r\n\x1a\n")
    ledger.record_image(row.id, 0, file, (1, 1))
    assert ledger.find_stored_image(url) is not None
    assert ledger.get_record(row.id).task_id == f"t\ufffd{url}"
    ids, _ = ledger.identify_request(ADDRESS, {}, [f"url:{url}"], 1)
    assert ids == (f"sha256:{file.sha256}",)


def test_files_of_another_machine_are_fetched_there_too(machine: Open) -> None:
    one, other = machine(), machine()
    row = one.claim(wish("a"), "key")
    one.reserve(row.id, FREE)
    one.record_response(row.id, (ResultItem(0, url="https://a.example/1"),), {})
    file = ImageStore(one.database.home).add_bytes(b"\x89PNG\r\n\x1a\n")
    one.record_image(row.id, 0, file, (1, 1))
    one.move(row.id, State.COMPLETED)
    one.release(row.id)
    assert other.list_images(row.id)[0].is_missing and other.sum_stored_bytes() == 0
    other.claim_row(row.id)
    other.mark_missing(row.id, [0])
    other.release(row.id)
    assert one.list_images(row.id)[0].file == file.path and one.sum_stored_bytes() == file.bytes


def test_tables_have_the_columns_of_the_file(machine: Open, home: Path) -> None:
    shared = machine().database
    SyncLedger(home).close()
    with closing(sqlite3.connect(home / "ledger.sqlite")) as db:
        names = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        tables = {
            name: {column[1] for column in db.execute(f"PRAGMA table_info({name})")}
            for name in names if not name.startswith("sqlite_")
        }  # fmt: skip
    with shared.read():
        found = shared.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'seedream' AND table_name != 'ledger_version'"
        ).fetchall()
    columns: dict[str, set[str]] = {}
    for one in found:
        columns.setdefault(one["table_name"], set()).add(one["column_name"])
    assert columns == tables


def test_ledger_of_newer_version_is_refused(machine: Open, postgres: PostgresServer) -> None:
    machine()
    postgres.execute("UPDATE seedream.ledger_version SET version = 1000")
    assert key_of(machine) == "ledger_newer"


def test_forked_child_leaves_the_connection_alone(machine: Open) -> None:
    ledger = machine()
    row = ledger.claim(wish("a"), "key")
    socket = ledger.database._link._connection.fileno()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.fstat(socket)
        except OSError:  # closed: a child keeps no dead parent alive
            code = int(key_of(lambda: ledger.list_records()) != "ledger_forked")
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ledger.get_record(row.id).owner == ledger.owner


@pytest.mark.parametrize("fault", ["password", "port", "parameter"])
def test_password_is_in_no_error(
    postgres: PostgresServer, home: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = PASSWORD if fault != "password" else "wrong-horse-battery"
    url = postgres.url().replace(PASSWORD, secret)
    url = url.replace(f":{postgres.port}/", ":1/") if fault == "port" else url
    url += f"?sslcert={secret}=&{secret}" if fault == "parameter" else ""
    settings = load(home, {}, SEEDREAM_LEDGER=url)
    with pytest.raises(LedgerFailed) as caught:
        asyncio.run(open_resources(settings, Clock()))
    error: BaseException | None = caught.value
    shown = [str(error), repr(error), caplog.text]
    assert caught.value.key == "ledger_unreachable" and error.__context__ is None
    frame = caught.tb.tb_next  # the first one is this function
    functions: list[str] = []
    while frame is not None:
        functions.append(frame.tb_frame.f_code.co_name)
        shown.append(repr(frame.tb_frame.f_locals))
        frame = frame.tb_next
    assert {"open_resources", "__init__", "open_database"} <= {*functions}
    assert secret not in " ".join(shown)


def test_missing_driver_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert (
        key_of(lambda: SyncLedger(home, SecretStr("postgresql://localhost/x")))
        == "ledger_driver_missing"
    )
