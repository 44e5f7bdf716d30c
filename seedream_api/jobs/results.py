"""The result of a request, and the progress that is reported while it runs."""

from __future__ import annotations

import builtins
import contextlib
import os
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.paths import expand_user
from ..errors import ResultUnavailable, SeedreamError
from ..images.file_names import DEFAULT_NAME, format_file_name
from ..images.saving import read_image_file, save_into_folder, save_to_path
from ..ledger.costs import UNKNOWN_COST, Cost
from .notebook import to_html, to_preview_png

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


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
        place: among the requests that wait to be sent, from 1; 0 if this one does not wait.
        row: the number of the job that a waiting one waits for, in the ledger.
        elsewhere: whether another process runs that job.
    """

    phase: Phase
    seconds: float
    percent: float | None = None
    task_id: str | None = None
    word: str = ""
    done: int = 0
    total: int = 0
    place: int = 0
    row: int | None = None
    elsewhere: bool = False


@dataclass(frozen=True)
class StoredImage:
    """One image of a result, complete and in the store.

    Its methods read files, so a coroutine calls them in a thread: ``asyncio.to_thread``.

    Args:
        path: the file in the store, which may be pruned later; :meth:`save` makes a copy.
        position: its index in the response, from 0.
        url: the link of the service, which expires; ``None`` if the image was sent as bytes.
        width, height: in pixels; 0 if the file cannot be decoded.
        bytes: the size of the file.
        media_type: such as ``image/png``.
        sha256: of the file, in hexadecimal.
        job: the number of the job in the ledger.
        model, prompt, seed: of the request, where they are known.
    """

    path: Path
    position: int
    url: str | None = field(repr=False)
    width: int
    height: int
    bytes: int
    media_type: str
    sha256: str
    task_id: str | None
    job: int = 0
    model: str | None = None
    prompt: str | None = None
    seed: int = 0

    def save(self, target: str | os.PathLike[str], name: str = DEFAULT_NAME) -> Path:
        """Copy the image to a file or into a folder, unchanged, and return the path of the copy.

        Nothing is overwritten: if another file has the name, the copy gets a number. The suffix
        becomes that of the real type of the image.

        Args:
            target: a file name with a suffix, or a folder, which is made if it is missing.
            name: the template of the file name in a folder, without a suffix. Fields: ``prompt``,
                ``model``, ``seed``, ``n`` (from 1), ``job``, ``task_id``, ``width``, ``height``,
                with format codes as in ``str.format``.

        Raises:
            InvalidRequest: the template has an unknown field.
            ResultUnavailable: the stored file was moved or pruned.
            LedgerFailed: the target cannot be written.
        """
        path = expand_user(Path(target))
        if path.suffix and not path.is_dir():
            return save_to_path(self.path, path)
        return save_into_folder(self.path, path, self.format_name(name))

    def format_name(self, template: str = DEFAULT_NAME) -> str:
        """Fill in a template for file names; see :meth:`save`.

        Raises:
            InvalidRequest: the template has an unknown field.
        """
        return format_file_name(template, {**vars(self), "n": self.position + 1})

    def read_bytes(self) -> builtins.bytes:
        """Read the stored file.

        Raises:
            ResultUnavailable: the stored file was moved or pruned.
        """
        return read_image_file(self.path)

    def to_numpy(self) -> NDArray[np.uint8]:
        """Decode the pixels: uint8 ``[H, W, 3]`` RGB, or ``[H, W, 4]`` if the image has alpha.

        The orientation of the file is applied, and colors are converted to sRGB.

        Raises:
            ResultUnavailable: the stored file was moved, or is not a readable image.
        """
        import numpy as np

        from ..images.decode import decode

        picture = decode(self.path, name=self.path.name)
        if picture.alpha is None:
            return picture.pixels
        return np.dstack((picture.pixels, picture.alpha))

    def to_pil(self) -> Image:
        """Decode the pixels into a Pillow image of mode ``RGB`` or ``RGBA``.

        Raises:
            ResultUnavailable: the stored file was moved, or is not a readable image.
        """
        from PIL import Image

        return Image.fromarray(self.to_numpy())

    def to_dict(self) -> dict[str, Any]:
        """Build a JSON object of what is known about the image, without its pixels."""
        return {
            "path": str(self.path),
            "position": self.position,
            "width": self.width,
            "height": self.height,
            "bytes": self.bytes,
            "media_type": self.media_type,
            "sha256": self.sha256,
            "url": self.url,
            "task_id": self.task_id,
        }

    def to_preview(self) -> builtins.bytes | None:
        """Build a PNG of at most 512 pixels per side; ``None`` if the stored file is gone."""
        with contextlib.suppress(ResultUnavailable):
            return to_preview_png(self.to_pil())
        return None

    _repr_png_ = to_preview
    """Notebooks show it."""


@dataclass(frozen=True)
class Failure:
    """One image or one task that failed.

    Args:
        reason: why, in English; ``Text.zh`` has the Chinese.
        position: the index of the image in the response, from 0; ``None`` for a task.
        error: the error, where one was raised.
    """

    reason: str
    position: int | None = None
    task_id: str | None = None
    error: SeedreamError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Build a JSON object of the failure."""
        return {"task_id": self.task_id, "position": self.position, "reason": str(self.reason)}


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
        entry: the number of the job in the ledger.
        origin: whether it was made now, resumed, stored or shared.
        task_id: the id of the service's task; those of several tasks are on separate lines.
        images: the stored images, in the service's order.
        failures: the images and tasks that failed.
        asked: the largest number of images that was requested.
        references: the number of reference images in the request.
        charged_images: how many images this run may be charged for; 0 for a stored result.
        notes: what was changed or is doubtful, in English; ``Text.zh`` has the Chinese.
        seconds: since the job began.
        prompt, seed: of the request, where they are known.
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
    prompt: str | None = None
    seed: int = 0
    request_id: str | None = None
    """The relay's id of the call, for its support."""
    profile: str | None = None
    """The profile whose key sent the request; ``None`` for the default."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The result URLs in the service's order; images that were sent as bytes have none."""
        return tuple(image.url for image in self.images if image.url)

    @property
    def is_reused(self) -> bool:
        """Whether the images were read from the store, and nothing was sent."""
        return self.origin is Origin.STORED

    def to_dict(self) -> dict[str, Any]:
        """Build a JSON object of the result: the fields of ``generate --json``, and more."""
        return {
            "status": self.status,
            "job_id": self.entry,
            "origin": self.origin.value,
            "model": self.model,
            "prompt": self.prompt,
            "seed": self.seed,
            "task_id": self.task_id or "",
            "task_ids": (self.task_id or "").split(),
            "request_id": self.request_id,
            "profile": self.profile or "",
            "images": [image.to_dict() for image in self.images],
            "failures": [failure.to_dict() for failure in self.failures],
            "references": self.references,
            "reused": self.is_reused,
            "charged_images": self.charged_images,
            "may_have_been_charged": self.charged_images > 0,
            "cost": self.cost.to_json(),
            "notes": [str(note) for note in self.notes],
            "seconds": self.seconds,
            "service_seconds": self.service_seconds,
        }

    def _repr_html_(self) -> str:
        """Show the images in a notebook, with the status and the charge above them."""
        return to_html(self.to_dict(), [image.to_preview() for image in self.images])
