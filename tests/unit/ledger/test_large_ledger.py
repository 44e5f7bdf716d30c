"""What a long record costs: looks that a run or a page needs do not read all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from seedream_api.ledger.job_filter import JobFilter
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec
from support.postgres_server import PostgresServer

ROWS = 10_000
STEPS = 1_000
"""Instructions of SQLite's machine are counted in thousands."""
STATES = ("completed", "accepted", "forgotten", "completed", "answered")


def fill(ledger: SyncLedger) -> None:
    with ledger.database.write(durable=False):
        ledger.database._connection.executemany(
            "INSERT INTO requests (id, state, fingerprint, family, model, address, prompt, fields, "
            "refs, seed, asked, notes, task_id, created_at, updated_at, accepted_at, answered_at) "
            "VALUES (?, ?, ?, 'evolink', 'Seedream-4.5', 'sandbox', ?, '{}', '[]', '1', 4, '[]', "
            "?, 1, 1, 1, 9)",
            (
                (number, STATES[number % 5], f"print-{number}", "a cat " * 100, f"task-{number}")
                for number in range(1, ROWS + 1)
            ),
        )
        ledger.database._connection.executemany(
            "INSERT INTO images (request, position, url, sha256, file, bytes) "
            "VALUES (?, ?, ?, ?, ?, 100)",
            (
                (
                    number,
                    place,
                    f"https://x.example/{number}/{place}",
                    name,
                    f"images/aa/{name}.png",
                )
                for number in range(1, ROWS + 1)
                for place in range(4)
                for name in [f"{number:060x}{place:04x}"]
            ),
        )


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncLedger]:
    opened = SyncLedger(tmp_path_factory.mktemp("large") / "home")
    fill(opened)
    yield opened
    opened.close()


def wish(name: str) -> JobSpec:
    return JobSpec(name, "evolink", "Seedream-4.5", "sandbox", "print", name, {}, (), 0, 1)


LOOKS: dict[str, Callable[[SyncLedger], object]] = {
    "row": lambda ledger: ledger.get_record(5_000),
    "images": lambda ledger: ledger.list_images(5_000),
    "entry": lambda ledger: ledger.get_job(5_000),
    "find": lambda ledger: ledger.find_record("task-5000"),
    "find missing": lambda ledger: ledger.find_record("no such task"),
    "of_task": lambda ledger: ledger.find_task("task-5000"),
    "stored_image": lambda ledger: ledger.find_stored_image("https://x.example/5000/1"),
    "typical_seconds": lambda ledger: ledger.typical_seconds("Seedream-4.5"),
    "answering": lambda ledger: ledger.find_reusable(["print-5000"], reuse=True),
    "answering none": lambda ledger: ledger.find_reusable(["none"], reuse=True),
    "claim": lambda ledger: ledger.claim(wish("print-5000"), "key"),
    "adopt": lambda ledger: ledger.claim_task("sandbox", "task-5000", "print"),
    "identify": lambda ledger: ledger.identify_request("sandbox", {}, ("px:a",), 1),
    "identify elsewhere": lambda ledger: ledger.identify_request("https://a.b", {}, (), 1),
    "responses": lambda ledger: ledger.list_responses(5_000),
    "newest rows": lambda ledger: ledger.list_records(limit=10),
}


@pytest.mark.parametrize("look", LOOKS)
def test_look_does_not_read_the_whole_ledger(ledger: SyncLedger, look: str) -> None:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    ledger.database._connection.set_progress_handler(count, STEPS)  # pyright: ignore[reportPrivateUsage]
    try:
        LOOKS[look](ledger)
    finally:
        ledger.database._connection.set_progress_handler(None, STEPS)  # pyright: ignore[reportPrivateUsage]
    assert counted <= 5, f"about {counted * STEPS} instructions for one look"


def test_page_and_list_of_a_large_ledger_stay_fast(ledger: SyncLedger) -> None:
    """Generous bounds, for slow machines: the page takes 6 ms here, its search 25 ms."""
    begun = time.monotonic()
    assert ledger.list_jobs().total == ROWS * 4 // 5
    assert ledger.list_jobs(JobFilter(text="task-77")).total > 0
    assert len(ledger.list_records()) == 1_000 and ledger.sum_stored_bytes() == 400 * ROWS
    assert time.monotonic() - begun < 3.0


def test_opening_a_large_ledger_does_not_read_it(ledger: SyncLedger) -> None:
    begun = time.monotonic()
    SyncLedger(ledger.database.home).close()
    assert time.monotonic() - begun < 1.0


# ---- the same in PostgreSQL ----

_FILL = f"""
    INSERT INTO requests (state, fingerprint, family, model, address, prompt, fields, refs, seed,
        asked, notes, idempotency_key, task_id, created_at, updated_at, accepted_at, answered_at)
    SELECT (ARRAY['{"', '".join(STATES)}'])[1 + number % 5], 'print-' || number, 'evolink',
        'Seedream-4.5', 'sandbox', repeat('a cat ', 100), '{{}}', '[]', '1', 4, '[]',
        'key-' || number, 'task-' || number, 1, 1, 1, 9
    FROM generate_series(1, {ROWS}) AS number;
    INSERT INTO images (request, position, url, sha256, file, bytes)
    SELECT request, place, 'https://x.example/' || request || '/' || place, name,
        'images/aa/' || name || '.png', 100
    FROM (SELECT number AS request, place, lpad(number || '0' || place, 64, '0') AS name
          FROM generate_series(1, {ROWS}) AS number, generate_series(0, 3) AS place) AS made;
"""  # noqa: S608 - made of constants
_READ = """
    SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0)) AS rows FROM pg_stat_user_tables
    WHERE schemaname = 'seedream'
"""


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[SyncLedger]:
    url = SecretStr(postgres.new_ledger())
    opened = SyncLedger(tmp_path_factory.mktemp("shared") / "home", url)
    with opened.database.write(durable=False):
        opened.database._link.get().execute(_FILL.encode())
    postgres.execute("ANALYZE")  # as autovacuum does within a minute
    yield opened
    opened.close()


@pytest.mark.parametrize("look", LOOKS)
def test_look_does_not_read_the_whole_shared_ledger(
    shared: SyncLedger, postgres: PostgresServer, look: str
) -> None:
    def count() -> int:
        with shared.database.read():
            shared.database.execute("SELECT pg_stat_force_next_flush()")
        return int(str(postgres.execute(_READ)[0][0]))

    before = count()
    LOOKS[look](shared)
    assert count() - before <= 100
