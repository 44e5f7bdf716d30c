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
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

from pydantic import SecretStr
from typing_extensions import Self

from ..config.settings import Settings
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
    shared_files,
    transitions,
    upload_cache,
    usage,
)
from .database import Database
from .sqlite_database import SqliteDatabase

P = ParamSpec("P")
T = TypeVar("T")


def open_database(home: Path, url: SecretStr | None, now: Callable[[], float]) -> Database:
    """Open the ledger in the data folder, or on the PostgreSQL server of a URL."""
    if not url:
        return SqliteDatabase(home, now=now)
    from .postgres_database import PostgresDatabase

    return PostgresDatabase(home, url)


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
        url: ``SEEDREAM_LEDGER``; empty for the file in the data folder. It stays hidden up to the
            connection, because tracebacks may show the variables of every function.
        bucket: ``Settings.store_place``; empty if stored files are in the data folder alone.
        now: wall-clock seconds, for the file; a PostgreSQL server has a clock.

    Raises:
        LedgerFailed: the ledger cannot be opened.
    """

    def __init__(
        self,
        home: Path,
        url: SecretStr | None = None,
        *,
        bucket: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database: Database = open_database(home, url, now)
        self.database.bucket = bucket
        self.path: Path = self.database.path
        self.name: str = self.database.name
        self.place: object = self.database.place
        self.is_shared: bool = self.database.is_shared
        self.owner: str = self.database.owner
        self.is_owner_alive: Callable[[str], bool] = self.database.is_owner_alive
        self.close: Callable[[], None] = self.database.close

    @classmethod
    def open(cls, settings: Settings, now: Callable[[], float] = time.time) -> Self:
        """Open the ledger that these settings name.

        Raises:
            LedgerFailed: it cannot be opened.
        """
        return cls(settings.home, settings.ledger_url, bucket=settings.store_place, now=now)

    @property
    def is_unusable(self) -> bool:
        return self.database.is_unusable

    claim: Final = _Operation(claims.claim)
    claim_task: Final = _Operation(claims.claim_task)
    claim_row: Final = _Operation(claims.claim_row)
    set_profile: Final = _Operation(claims.set_profile)
    release: Final = _Operation(claims.release)
    forget: Final = _Operation(claims.forget)
    forget_idle: Final = _Operation(claims.forget_idle)

    reserve: Final = _Operation(limits.reserve)
    check_limits: Final = _Operation(limits.check_limits)
    list_spending: Final = _Operation(limits.list_spending)
    summarize_usage: Final = _Operation(usage.summarize_usage)
    list_sent: Final = _Operation(usage.list_sent)

    move: Final = _Operation(transitions.move)
    record_response: Final = _Operation(transitions.record_response)
    record_image: Final = _Operation(transitions.record_image)
    mark_missing: Final = _Operation(transitions.mark_missing)
    mark_delivered: Final = _Operation(transitions.mark_delivered)
    mark_pruned: Final = _Operation(transitions.mark_pruned)

    get_record: Final = _Operation(queries.get_record)
    list_records: Final = _Operation(queries.list_records)
    list_recoverable: Final = _Operation(queries.list_recoverable)
    find_record: Final = _Operation(queries.find_record)
    find_task: Final = _Operation(queries.find_task)
    list_images: Final = _Operation(queries.list_images)
    list_readable_images: Final = _Operation(queries.list_readable_images)
    find_stored_image: Final = _Operation(queries.find_stored_image)
    typical_seconds: Final = _Operation(queries.typical_seconds)
    list_stored_files: Final = _Operation(queries.list_stored_files)
    sum_stored_bytes: Final = _Operation(queries.sum_stored_bytes)

    list_jobs: Final = _Operation(browsing.list_jobs)
    summarize_jobs: Final = _Operation(browsing.summarize_jobs)
    list_views: Final = _Operation(browsing.list_views)
    get_job: Final = _Operation(browsing.get_job)
    find_reusable: Final = _Operation(browsing.find_reusable)

    identify_request: Final = _Operation(request_identity.identify_request)
    list_sent_urls: Final = _Operation(request_identity.list_sent_urls)

    keep_response: Final = _Operation(kept_responses.keep_response)
    list_responses: Final = _Operation(kept_responses.list_responses)

    find_upload: Final = _Operation(upload_cache.find_upload)
    record_upload: Final = _Operation(upload_cache.record_upload)
    forget_uploads: Final = _Operation(upload_cache.forget_uploads)

    read_inputs: Final = _Operation(inputs.read_inputs)
    note_reference_use: Final = _Operation(reference_files.note_reference_use)
    record_reference_file: Final = _Operation(reference_files.record_reference_file)

    list_unshared: Final = _Operation(shared_files.list_unshared)
    list_files_to_share: Final = _Operation(shared_files.list_files_to_share)
    list_absent_images: Final = _Operation(shared_files.list_absent_images)
    list_absent_references: Final = _Operation(shared_files.list_absent_references)
    find_absent_image: Final = _Operation(shared_files.find_absent_image)
    record_shared: Final = _Operation(shared_files.record_shared)
    forget_shared: Final = _Operation(shared_files.forget_shared)

    prune: Final = _Operation(pruning.prune)


class SyncLedger(_Operations):
    """An open ledger whose operations block: for the command line and tests."""


class Ledger(_Operations):
    """An open ledger whose operations are coroutines; they run in order on one thread."""
