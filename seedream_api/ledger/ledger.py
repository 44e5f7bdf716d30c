"""The ledger: the store of every paid job, in a database that several processes may share.

:class:`Ledger` lists every operation. Each is a function of the open :class:`Database`, kept where
its subject is: ``claims`` (who works on a job), ``transitions`` (what happens to it), ``queries``
and ``browsing`` (what the engine and people read), and so on. If a row cannot be written, nothing
may be sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from pydantic import SecretStr

from . import (
    browsing,
    claims,
    inputs,
    kept_responses,
    limits,
    pruning,
    queries,
    reference_files,
    request_identity,
    transitions,
    upload_cache,
    usage,
)
from .database import Database
from .sqlite_database import SqliteDatabase

P = ParamSpec("P")
T = TypeVar("T")


def open_database(home: Path, url: str, now: Callable[[], float]) -> Database:
    """Open the ledger in the data folder, or on the PostgreSQL server of a URL."""
    if not url:
        return SqliteDatabase(home, now=now)
    from .postgres_database import PostgresDatabase

    return PostgresDatabase(home, SecretStr(url))


class _Operation(Generic[P, T]):
    """A function of the database as a method: async in Ledger, blocking in SyncLedger."""

    def __init__(self, function: Callable[Concatenate[Database, P], T]) -> None:
        self._function = function

    @overload
    def __get__(
        self, ledger: Ledger, kind: object = None
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, ledger: SyncLedger, kind: object = None) -> Callable[P, T]: ...
    def __get__(self, ledger: Ledger | SyncLedger, kind: object = None) -> Callable[P, Any]:
        if isinstance(ledger, Ledger):
            return partial(ledger.database.run, self._function)
        return partial(self._function, ledger.database)


class _Operations:
    """What both ledgers can do, and the database that they do it to.

    Args:
        home: the data folder.
        url: ``SEEDREAM_LEDGER``; empty for the file in the data folder.
        now: wall-clock seconds, for the file; a PostgreSQL server has a clock.

    Raises:
        LedgerFailed: the ledger cannot be opened.
    """

    def __init__(self, home: Path, url: str = "", *, now: Callable[[], float] = time.time) -> None:
        self.database = open_database(home, url, now)
        self.path = self.database.path
        self.place = self.database.place
        self.is_shared = self.database.is_shared
        self.owner = self.database.owner
        self.is_owner_alive = self.database.is_owner_alive
        self.close = self.database.close

    @property
    def is_unusable(self) -> bool:
        return self.database.is_unusable

    claim = _Operation(claims.claim)
    claim_task = _Operation(claims.claim_task)
    claim_row = _Operation(claims.claim_row)
    set_profile = _Operation(claims.set_profile)
    release = _Operation(claims.release)
    forget = _Operation(claims.forget)
    forget_idle = _Operation(claims.forget_idle)

    reserve = _Operation(limits.reserve)
    check_limits = _Operation(limits.check_limits)
    list_spending = _Operation(limits.list_spending)
    summarize_usage = _Operation(usage.summarize_usage)

    move = _Operation(transitions.move)
    record_response = _Operation(transitions.record_response)
    record_image = _Operation(transitions.record_image)
    mark_missing = _Operation(transitions.mark_missing)
    mark_delivered = _Operation(transitions.mark_delivered)
    mark_pruned = _Operation(transitions.mark_pruned)

    get_record = _Operation(queries.get_record)
    list_records = _Operation(queries.list_records)
    list_recoverable = _Operation(queries.list_recoverable)
    find_record = _Operation(queries.find_record)
    find_task = _Operation(queries.find_task)
    list_images = _Operation(queries.list_images)
    list_readable_images = _Operation(queries.list_readable_images)
    find_stored_image = _Operation(queries.find_stored_image)
    typical_seconds = _Operation(queries.typical_seconds)
    list_stored_files = _Operation(queries.list_stored_files)
    sum_stored_bytes = _Operation(queries.sum_stored_bytes)

    list_jobs = _Operation(browsing.list_jobs)
    summarize_jobs = _Operation(browsing.summarize_jobs)
    list_views = _Operation(browsing.list_views)
    get_job = _Operation(browsing.get_job)
    find_reusable = _Operation(browsing.find_reusable)

    identify_request = _Operation(request_identity.identify_request)
    list_sent_urls = _Operation(request_identity.list_sent_urls)

    keep_response = _Operation(kept_responses.keep_response)
    list_responses = _Operation(kept_responses.list_responses)

    find_upload = _Operation(upload_cache.find_upload)
    record_upload = _Operation(upload_cache.record_upload)
    forget_uploads = _Operation(upload_cache.forget_uploads)

    read_inputs = _Operation(inputs.read_inputs)
    note_reference_use = _Operation(reference_files.note_reference_use)
    record_reference_file = _Operation(reference_files.record_reference_file)

    prune = _Operation(pruning.prune)


class SyncLedger(_Operations):
    """An open ledger whose operations block: for the command line and tests."""


class Ledger(_Operations):
    """An open ledger whose operations are coroutines; they run in order on one thread."""
