"""Reads of the ledger for display: pages of jobs, one job, and whether a request is known.

No function claims or changes a row; each is one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ..errors import Charge
from . import statements
from .database import Database
from .job_filter import Group, JobFilter, find_group
from .queries import read_images
from .records import ImageRecord, JobRecord, parse_readable_images, parse_row
from .request_identity import choose_row, find_rows
from .shared_files import mark_shared
from .states import State

MAX_PAGE = 500
_NO_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class JobView:
    """A job for display: its row and images, and whether a running process works on it."""

    row: JobRecord
    images: tuple[ImageRecord, ...]
    is_live: bool

    @property
    def id(self) -> int:
        """The number of the job in the ledger."""
        return self.row.id

    @property
    def state(self) -> State:
        """The state, as the ledger has it."""
        return self.row.state

    @property
    def task_id(self) -> str | None:
        """The id of the service's task, where it is known."""
        return self.row.task_id

    @property
    def charge(self) -> Charge:
        """Whether money was spent on it, as far as can be known."""
        if self.row.error is not None:
            return self.row.error.charge
        return _CHARGES[self.row.state]

    @property
    def group(self) -> Group | None:
        """The group that a person looks for it in; ``None`` for a forgotten job."""
        return find_group(self.row.state, is_live=self.is_live)


_CHARGES = {
    State.INTENDED: Charge.NONE,
    State.SENDING: Charge.POSSIBLE,
    State.ACCEPTED: Charge.RUNNING,
    State.ANSWERED: Charge.PAID,
    State.COMPLETED: Charge.MADE,
    State.PARTIAL: Charge.MADE,
    State.EMPTY: Charge.POSSIBLE,
    State.REFUSED: Charge.NONE,
    State.FAILED: Charge.NONE,
    State.UNKNOWN: Charge.POSSIBLE,
    State.WITHDRAWN: Charge.NONE,
    State.FORGOTTEN: Charge.POSSIBLE,
}


@dataclass(frozen=True)
class JobPage:
    """One page of jobs, newest first.

    Args:
        total: how many jobs match, on all pages.
    """

    entries: tuple[JobView, ...]
    total: int


@dataclass(frozen=True)
class JobSummary:
    """What the ledger holds, in numbers.

    Args:
        total: all jobs but the forgotten.
        outside_changes: a number that changes when another process changes the ledger.
    """

    total: int
    groups: Mapping[Group, int]
    models: tuple[str, ...]
    outside_changes: int


def list_jobs(
    database: Database,
    wanted: JobFilter = JobFilter(),  # noqa: B008 - frozen
    *,
    offset: int = 0,
    limit: int = 100,
) -> JobPage:
    """List one page of jobs, newest first.

    Args:
        limit: at most :data:`MAX_PAGE`.
    """
    with database.read():
        where, values = wanted.to_condition(_list_live_owners(database))
        page = {**values, "limit": min(limit, MAX_PAGE), "offset": offset}
        total = database.execute(statements.count_jobs(where), values).fetchone()["total"]
        rows = [*map(parse_row, database.execute(statements.page_of_jobs(where), page))]
        images = _read_images_of(database, rows)
    return JobPage(tuple(_to_view(database, row, images[row.id]) for row in rows), total)


def _list_live_owners(database: Database) -> dict[str, int]:
    """Count the unfinished rows of each owner whose process runs."""
    found = database.execute(statements.UNFINISHED_OWNERS).fetchall()
    return {
        row["owner"]: row["total"]
        for row in found
        # A damaged cell is not a text.
        if isinstance(row["owner"], str) and database.is_owner_alive(row["owner"])
    }


def summarize_jobs(database: Database) -> JobSummary:
    """Count the jobs of each group, and list the models; reads only indexes."""
    with database.read():
        running = sum(_list_live_owners(database).values())
        by_state = database.execute(statements.COUNT_BY_STATE).fetchall()
        models = database.execute(statements.MODELS_OF_JOBS).fetchall()
        changes = database.execute(database.outside_changes).fetchone()["data_version"]
    known = {state.value: find_group(state, is_live=False) for state in State}
    groups = dict.fromkeys(Group, 0)
    for row in by_state:
        group = known.get(row["state"])
        if group is not None:
            groups[group] += row["total"]
    groups[Group.RUNNING] = running
    groups[Group.ATTENTION] -= running
    total = sum(row["total"] for row in by_state if row["state"] != State.FORGOTTEN.value)
    names = tuple(row["model"] for row in models if isinstance(row["model"], str))
    return JobSummary(total, groups, names, int(changes))


def list_views(
    database: Database,
    states: tuple[State, ...] = (),
    *,
    since: float | None = None,
    limit: int | None = None,
) -> list[JobView]:
    """List jobs with their images, newest first.

    Args:
        states: those wanted, or all but the forgotten.
        since: only jobs made at or after this time, in wall-clock seconds.
        limit: at most this many; by default all.
    """
    where, values = JobFilter(states=states, since=since).to_condition(())
    page = {**values, "limit": _NO_LIMIT if limit is None else limit, "offset": 0}
    with database.read():
        rows = [*map(parse_row, database.execute(statements.page_of_jobs(where), page))]
        images = _read_images_of(database, rows)
    return [_to_view(database, row, images[row.id]) for row in rows]


def _read_images_of(
    database: Database, rows: Sequence[JobRecord]
) -> Mapping[int, list[ImageRecord]]:
    """Read the images of rows by row; a statement has a limited number of parameters."""
    parts = (
        read_images(database, [row.id for row in rows[first : first + MAX_PAGE]])
        for first in range(0, len(rows), MAX_PAGE)
    )
    found = chain.from_iterable(parse_readable_images(one, database.find_file) for one in parts)
    images: dict[int, list[ImageRecord]] = defaultdict(list)
    for image in mark_shared(database, found):
        images[image.request].append(image)
    return images


def get_job(database: Database, row_id: int) -> JobView | None:
    """Get one job, also a forgotten one; ``None`` where no job has this number."""
    with database.read():
        found = database.execute(statements.JOB, {"id": row_id}).fetchone()
        images = parse_readable_images(read_images(database, [row_id]), database.find_file)
        images = mark_shared(database, images)
    return None if found is None else _to_view(database, parse_row(found), images)


def _to_view(database: Database, row: JobRecord, images: list[ImageRecord]) -> JobView:
    is_live = row.owner is not None and database.is_owner_alive(row.owner)
    return JobView(row, tuple(images), is_live)


def find_reusable(
    database: Database, fingerprints: Sequence[str], *, reuse: bool
) -> JobRecord | None:
    """Find the row that would serve a request without a new charge.

    Args:
        fingerprints: every fingerprint of the request.
        reuse: whether a completed row counts.
    """
    with database.read():
        row = choose_row(find_rows(database, fingerprints), reuse=reuse)
    if row is None:
        return None
    if row.state is State.INTENDED and not (row.owner and database.is_owner_alive(row.owner)):
        return None  # never sent: the next claim sends it
    return row
