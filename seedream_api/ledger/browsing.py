"""Reading the record for people who look at it: pages of it, and what it says about a wish.

Nothing here claims or moves a row. Each function is one transaction: through :meth:`Ledger.run`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import Charge
from .ledger import Ledger
from .queries import in_states
from .records import ImageRecord, JobRecord, parse_row, parse_readable_images
from .request_identity import choose_row, find_rows
from .states import State

MAX_PAGE = 500


@dataclass(frozen=True)
class JobView:
    """A row with its images, and whether a running process works on it."""

    row: JobRecord
    images: tuple[ImageRecord, ...]
    is_live: bool

    @property
    def charge(self) -> Charge:
        """Whether money was spent on it, as far as can be known."""
        if self.row.error is not None:
            return self.row.error.charge
        return _CHARGES[self.row.state]


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
    """A stretch of the record, newest first.

    Args:
        total: how many entries there are of this choice, on all pages.
    """

    entries: tuple[JobView, ...]
    total: int


def list_jobs(
    ledger: Ledger,
    *,
    offset: int = 0,
    limit: int = 100,
    states: tuple[State, ...] = (),
    text: str = "",
) -> JobPage:
    """A page of the record.

    Args:
        limit: at most :data:`MAX_PAGE`.
        states: those wanted, or all but the forgotten.
        text: a part of the prompt, the model or the task id, whatever its case; or a row's number.
    """
    where, values = in_states(states)
    if text:
        part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = ("prompt", "model", "task_id")
        likes = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in columns)
        where += f" AND ({likes} OR CAST(id AS TEXT) = ?)"
        values += [part, part, part, text]
    with ledger.read() as db:
        total = db.execute(f"SELECT COUNT(*) FROM requests WHERE {where}", values).fetchone()[0]  # noqa: S608
        found = db.execute(
            f"SELECT * FROM requests WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608
            (*values, min(limit, MAX_PAGE), offset),
        )
        rows = [parse_row(row) for row in found]
        marks = ", ".join("?" for _ in rows)
        made = db.execute(
            f"SELECT * FROM images WHERE request IN ({marks}) ORDER BY request, position",  # noqa: S608
            [row.id for row in rows],
        ).fetchall()
    images: dict[int, list[ImageRecord]] = defaultdict(list)
    for image in parse_readable_images(made, ledger.home):
        images[image.request].append(image)
    return JobPage(tuple(_entry(ledger, row, images[row.id]) for row in rows), total)


def get_job(ledger: Ledger, row_id: int) -> JobView | None:
    """One entry, forgotten ones too; ``None`` where there is none of this number."""
    with ledger.read() as db:
        found = db.execute("SELECT * FROM requests WHERE id = ?", (row_id,)).fetchone()
        images = db.execute(
            "SELECT * FROM images WHERE request = ? ORDER BY position", (row_id,)
        ).fetchall()
    if found is None:
        return None
    return _entry(ledger, parse_row(found), parse_readable_images(images, ledger.home))


def _entry(ledger: Ledger, row: JobRecord, images: list[ImageRecord]) -> JobView:
    is_live = row.owner is not None and ledger.is_owner_alive(row.owner)
    return JobView(row, tuple(images), is_live)


def find_reusable(ledger: Ledger, fingerprints: Sequence[str], *, reuse: bool) -> JobRecord | None:
    """The row that would answer for a request without a new charge, if any.

    Args:
        fingerprints: all that the request is known by.
        reuse: with it off, a completed row no longer answers.
    """
    with ledger.read() as db:
        row = choose_row(find_rows(db, fingerprints), reuse=reuse)
    if row is None:
        return None
    if row.state is State.INTENDED and not (row.owner and ledger.is_owner_alive(row.owner)):
        return None  # written down and never sent: whoever takes it up sends it
    return row
