"""The result of a request, and the progress that is reported while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..errors import SeedreamError
from ..ledger.costs import UNKNOWN_COST, Cost


class Phase(str, Enum):
    """The current activity of a job."""

    PREPARING = "preparing"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    WAITING = "waiting"
    """For an equal request that is already running, in this process or another."""
    QUEUED = "queued"
    PROCESSING = "processing"
    DOWNLOADING = "downloading"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """One step of a job.

    Args:
        seconds: since the job began.
        percent: 0-100; ``None`` if the service does not report it.
        word: the service's word for the status.
        done, total: images, while uploading or downloading.
    """

    phase: Phase
    seconds: float
    percent: float | None = None
    task_id: str | None = None
    word: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class StoredImage:
    """One image of a result, complete and in the store.

    Args:
        position: its index in the response, from 0.
        width, height: in pixels; 0 if the file cannot be decoded.
    """

    path: Path
    position: int
    url: str | None
    width: int
    height: int
    bytes: int
    media_type: str
    sha256: str
    task_id: str | None


@dataclass(frozen=True)
class Failure:
    """One image or one task that failed."""

    reason: str
    position: int | None = None
    task_id: str | None = None
    error: SeedreamError | None = None


class Origin(str, Enum):
    """Where a result comes from."""

    NEW = "new"
    RESUMED = "resumed"
    """A task or download of an earlier run was continued."""
    STORED = "stored"
    """Read from the store; nothing was sent."""
    JOINED = "joined"
    """An equal request was already running; both share one charge."""


@dataclass(frozen=True)
class Result:
    """The outcome of one request, or of one or more collected tasks.

    Args:
        status: ``completed``, ``partial``, ``submitted`` (not waited for) or ``pending``.
        entry: the number of the row in the ledger.
        asked: the largest number of images that was requested.
        references: the number of reference images in the request.
        charged_images: how many images this run may be charged for; 0 for a stored result.
        seconds: since the job began.
    """

    status: str
    entry: int
    origin: Origin
    model: str | None
    task_id: str | None
    images: tuple[StoredImage, ...] = ()
    failures: tuple[Failure, ...] = ()
    asked: int = 0
    references: int = 0
    charged_images: int = 0
    cost: Cost = UNKNOWN_COST
    """What this run costs; a stored result costs nothing."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    service_seconds: float | None = None
    """Seconds from the acceptance of the task to its completion."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The result URLs in the service's order; images that were sent as bytes have none."""
        return tuple(image.url for image in self.images if image.url)

    @property
    def is_reused(self) -> bool:
        return self.origin is Origin.STORED
