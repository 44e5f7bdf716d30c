"""What a generation gives back, and what it tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..errors import SeedreamError


class Phase(str, Enum):
    """What a generation is doing."""

    PREPARING = "preparing"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    WAITING = "waiting"
    """For a running request of the same inputs, in this process or another."""
    QUEUED = "queued"
    PROCESSING = "processing"
    DOWNLOADING = "downloading"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """One step to tell a person.

    Args:
        percent: 0-100 where the service gives it.
        seconds: since the work began.
        done, total: images, while downloading.
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
    """One image of a result, whole and in the store. Sizes are 0 where its bytes are unreadable."""

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
    """One image, or one task, that gave nothing."""

    reason: str
    position: int | None = None
    task_id: str | None = None
    error: SeedreamError | None = None


class Origin(str, Enum):
    """Where a result came from."""

    NEW = "new"
    RESUMED = "resumed"
    """A task or download of an earlier run was picked up."""
    STORED = "stored"
    """Nothing was sent."""
    JOINED = "joined"
    """An equal request was already under way; one charge serves both."""


@dataclass(frozen=True)
class Result:
    """The outcome of one request or of one collected task.

    Args:
        status: ``completed``, ``partial``, ``submitted`` (not waited for) or ``pending``.
        entry: the row's number in the record.
        references: how many reference images the request carried.
        charged_images: how many images this run may be charged for; 0 for a stored result.
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
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    service_seconds: float | None = None
    """From acceptance to the answer, as the service's part."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The result URLs in the service's order; images that came as bytes have none."""
        return tuple(image.url for image in self.images if image.url)

    @property
    def is_reused(self) -> bool:
        return self.origin is Origin.STORED
