"""The ledger's rows as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..config.normalization import SANDBOX, normalize_recorded_address
from ..config.prices import Price
from ..config.settings import SANDBOX_KEY
from ..errors import LedgerFailed, SeedreamError
from ..messages import Text
from ..network.hosts import is_local_host
from .cells import (
    Cells,
    Row,
    to_amount,
    to_count,
    to_error,
    to_fields,
    to_moment,
    to_notes,
    to_owner,
    to_text,
    to_texts,
)
from .costs import Cost
from .states import State, key_fingerprint


@dataclass(frozen=True)
class JobRecord:
    """A job as read. Times are wall-clock seconds since the epoch."""

    id: int
    state: State
    owner: str | None
    fingerprint: str | None
    """``None`` for a task that was claimed by its ID."""
    family: str | None
    model: str | None
    address: str
    key_fingerprint: str | None
    prompt: str | None
    fields: dict[str, Any]
    references: tuple[str, ...]
    seed: int
    asked: int
    notes: tuple[str, ...]
    idempotency_key: str | None
    task_id: str | None
    request_id: str | None
    error: SeedreamError | None
    created_at: float
    sent_at: float | None
    accepted_at: float | None
    answered_at: float | None
    finished_at: float | None
    delivered_at: float | None
    profile: str | None = None
    """The name of the profile; ``None`` for the default."""
    run: str | None = None
    """The ComfyUI prompt or the command that sent it."""
    price: Price | None = None
    """The price when it was sent; ``None`` if unknown."""
    known_charge: int | None = None
    """How many images were charged; ``None`` until that is known."""
    is_readable: bool = True
    """Whether every cell that decides about money could be read; else ``error`` lists them."""

    @property
    def may_have_been_charged(self) -> bool:
        """Whether the job may have been charged, as far as the ledger knows."""
        if self.error is not None:
            return self.error.may_have_been_charged
        return self.sent_at is not None or self.accepted_at is not None

    @property
    def is_free(self) -> bool:
        """Whether a sandbox made it: the built-in one, or a separate one on this machine.

        The latter shows in the sandbox's own key, which a service that charges does not know.
        """
        own_key = self.key_fingerprint == key_fingerprint(SANDBOX_KEY)
        is_local = is_local_host(urlsplit(self.address or "").hostname or "")
        return self.address == SANDBOX or (own_key and is_local)

    @property
    def cost(self) -> Cost:
        """What the request costs by the prices of when it was sent."""
        # A task that another client made has no count of requested images.
        estimated = self._cost_of(self.asked or None)
        currency = self.price.currency if self.price else None
        return Cost(estimated, self._cost_of(self.known_charge), currency)

    def _cost_of(self, images: int | None) -> Decimal | None:
        if images == 0:
            return Decimal(0)
        return None if images is None or self.price is None else self.price.of(images)

    def charged_images(self, images: Sequence[ImageRecord]) -> int:
        """Count the images that may have been charged: those made, else all requested."""
        if not self.may_have_been_charged:
            return 0
        return sum(image.was_made for image in images) if images else self.asked


@dataclass(frozen=True)
class ImageRecord:
    """An image of a row: its URL, and its file once it is stored."""

    request: int
    position: int
    url: str | None = field(repr=False)
    file: Path | None
    sha256: str | None
    bytes: int
    media_type: str
    width: int
    height: int
    error: str | None
    """Why the service made no image at this position."""
    url_seen_at: float | None
    """When the service first gave the URL, in wall-clock seconds."""
    url_expires_at: float | None
    """When the URL expires, in wall-clock seconds; see ``link_expiry.py``."""
    is_shared: bool = False
    """Whether the bucket has the file and this machine lacks it; known in a ``JobView`` alone."""

    @property
    def was_made(self) -> bool:
        """Whether the service made, and charged, the image."""
        return self.error is None

    @property
    def is_stored(self) -> bool:
        """Whether this machine or, in a ``JobView``, the bucket has the file."""
        return self.file is not None or self.is_shared

    @property
    def is_missing(self) -> bool:
        """Whether the service made the image and the store does not hold it."""
        return self.was_made and self.file is None


_DECIDING = frozenset(("state", "owner", "address", "task_id", "error", "sent_at", "accepted_at"))
"""Columns that say what was paid for and where to fetch it."""


def parse_row(found: Row) -> JobRecord:
    """Parse a row; its error or a note lists cells that cannot be read."""
    cells = Cells(found)
    row = JobRecord(
        id=found["id"],
        state=cells.read_state(),
        owner=cells.read("owner", to_owner, None),
        fingerprint=cells.read("fingerprint", to_text, None),
        family=cells.read("family", to_text, None),
        model=cells.read("model", to_text, None),
        address=normalize_recorded_address(cells.read("address", to_text, "")),
        key_fingerprint=cells.read("key_print", to_text, None),
        prompt=cells.read("prompt", to_text, None),
        fields=cells.read("fields", to_fields, None) or {},
        references=cells.read("refs", to_texts, ()),
        seed=cells.read("seed", int, 0),
        asked=cells.read("asked", to_count, 0),
        notes=cells.read("notes", to_notes, ()),
        idempotency_key=cells.read("idempotency_key", to_text, None),
        task_id=cells.read("task_id", to_text, None),
        request_id=cells.read("request_id", to_text, None),
        error=cells.read("error", to_error, None),
        created_at=cells.read("created_at", to_moment, 0.0),
        sent_at=cells.read("sent_at", to_moment, None),
        accepted_at=cells.read("accepted_at", to_moment, None),
        answered_at=cells.read("answered_at", to_moment, None),
        finished_at=cells.read("finished_at", to_moment, None),
        delivered_at=cells.read("delivered_at", to_moment, None),
        profile=cells.read("profile", to_text, None),
        run=cells.read("run", to_text, None),
        price=read_price(cells),
        known_charge=cells.read("charged_images", to_count, None),
    )
    if not cells.problems:
        return row
    if _DECIDING.isdisjoint(cells.problems):
        note = Text("entry_damaged", entry=row.id, columns=", ".join(cells.problems))
        return replace(row, notes=(*row.notes, note))
    return replace(row, is_readable=False, error=cells.build_error(row.id, row.state))


def read_price(cells: Cells) -> Price | None:
    """Read the price at which a request was sent; ``None`` if it is unknown."""
    image = cells.read("image_price", to_amount, None)
    references = cells.read("references_price", to_amount, None)
    currency = cells.read("currency", to_text, None)
    if image is None or references is None or currency is None:
        return None
    return Price(image, references, currency)


def require_readable(row: JobRecord) -> JobRecord:
    """Refuse a damaged row.

    Raises:
        LedgerFailed: a cell that decides about money cannot be read.
    """
    if not row.is_readable and row.error is not None:
        raise row.error
    return row


FindFile = Callable[[object], Path | None]
"""Gets the path of a stored file; see ``Database.find_file``."""


def parse_image(found: Row, find_file: FindFile) -> ImageRecord:
    """Parse an image; what cannot be read counts as missing and is fetched again.

    Raises:
        LedgerFailed: the position cannot be read.
    """
    cells = Cells(found)
    position = cells.read("position", to_count, None)
    if position is None:
        raise cells.build_error(found["request"], State.ANSWERED)
    error = found["error"]
    return ImageRecord(
        request=found["request"],
        position=position,
        url=cells.read("url", to_text, None),
        file=find_file(found["file"]),
        sha256=cells.read("sha256", to_text, None),
        bytes=cells.read("bytes", to_count, 0),
        media_type=cells.read("media_type", to_text, ""),
        width=cells.read("width", to_count, 0),
        height=cells.read("height", to_count, 0),
        error=error if isinstance(error, (str, type(None))) else "…",
        url_seen_at=cells.read("url_seen_at", to_moment, None),
        url_expires_at=cells.read("url_expires_at", to_moment, None),
    )


def parse_readable_images(found: Iterable[Row], find_file: FindFile) -> list[ImageRecord]:
    """Parse images for display, without those that cannot be read."""
    images: list[ImageRecord] = []
    for each in found:
        try:
            images.append(parse_image(each, find_file))
        except LedgerFailed:
            continue
    return images
