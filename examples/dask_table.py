"""A table of prompts to images with Dask: ``python dask_table.py prompts.csv [SCHEDULER]``.

The table needs a column ``prompt`` and may have ``model`` and ``seed``. Its rows are written to
``images.csv`` in their order, with the paths of the images or the reason why there are none.

Dask runs the row of a worker that dies again on another one. That costs nothing: the ledger knows
that the request was sent. Running the whole table again sends only the rows that are missing.
Without the address of a scheduler, a cluster of processes on this machine is started.
"""

from __future__ import annotations

import contextlib
import csv
import sys
from pathlib import Path
from typing import Any

from distributed import Client, Future, LocalCluster, get_worker

from seedream_api import (
    LedgerFailed,
    NotSent,
    RateLimited,
    ReadFailed,
    Request,
    SeedreamError,
    ServiceBusy,
    WaitTimedOut,
)
from seedream_api.sync import Session, generate

FREE = (LedgerFailed, NotSent, RateLimited, ReadFailed, ServiceBusy, WaitTimedOut)
"""Errors after which running the same row again is free, or pays for the first time."""

Row = dict[str, str]


def get_session() -> Session:
    """Return the session of this worker, which ends with it.

    Two threads may open one each at first; both have the same ledger, so nothing is paid twice.
    """
    worker: Any = get_worker()
    if not hasattr(worker, "session"):
        worker.session = Session().open()
    session: Session = worker.session
    return session


def make_image(row: Row) -> Row:
    """Make the image of a row, on any worker; return the row with its images or an error."""
    request = Request(
        model=row.get("model") or "Seedream-4.5",
        prompt=row["prompt"],
        seed=int(row.get("seed") or 0),
    )
    try:
        result = generate(request, get_session())
        paths = [str(image.save("out").resolve()) for image in result.images]
    except FREE:
        raise
    except SeedreamError as error:
        return {**row, "images": "", "error": str(error)}
    return {**row, "images": " ".join(paths), "error": ""}


def read_row(row: Row, future: Future[Row]) -> Row:
    """Wait for a row. An error is left where all retries have failed."""
    error = future.exception()
    if error is not None:
        return {**row, "images": "", "error": str(error)}
    return future.result()


def main(table: str, scheduler: str | None = None) -> int:
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{table} has no rows")
    with contextlib.ExitStack() as stack:
        cluster = scheduler or stack.enter_context(LocalCluster(dashboard_address=None))
        client = stack.enter_context(Client(cluster))
        futures = client.map(make_image, rows, retries=5, pure=False)
        made = [read_row(row, future) for row, future in zip(rows, futures, strict=True)]
    with Path("images.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "images", "error"])
        writer.writeheader()
        writer.writerows(made)
    failed = sum(bool(row["error"]) for row in made)
    print(f"{len(made) - failed} of {len(made)} rows have their images")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
