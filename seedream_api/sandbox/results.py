"""Result images: their links, which can expire, and the pictures behind them, drawn on demand."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..catalog import PIXELS
from .drawing import Picture, Studio
from .replies import Refusal, Reply, bytes_reply, relay_refusal
from .tasks import Record, RecordStore, write_privately

PREFIX = "/results/"
MIXED_SIZES = "[mixed sizes]"
"""In a prompt: the images of one group differ in size, as they may in the real service."""

_PLACE = re.compile(r"/results/((?:task|pic)-[0-9a-f]{12})/(\d{1,2})\.(jpe?g|png)")
_OTHER_RATIOS = ("3:2", "2:3", "1:1", "16:9")


@dataclass(frozen=True)
class Place:
    """One image of one record."""

    record_id: str
    index: int
    extension: str


def place_in(target: str) -> Place | None:
    """The image that a request's path names, or None."""
    found = _PLACE.fullmatch(urlsplit(target).path)
    return Place(found.group(1), int(found.group(2)), found.group(3)) if found else None


class Results:
    """Links to result images, and the images."""

    def __init__(
        self, folder: Path, store: RecordStore, life_s: float | None, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._life_s = life_s
        self._now = now
        self._studio = Studio()
        self._secret = _kept_secret(folder / "link-secret")

    def link(self, record: Record, index: int, address: str) -> str:
        """A link to one image below ``address``; with an expiry where links have a life."""
        path = f"{PREFIX}{record.id}/{index}.{record.extension}"
        if self._life_s is None:
            return f"{address}{path}"
        expires = f"{self._now() + self._life_s:.3f}"
        return f"{address}{path}?expires={expires}&signature={self._signature(path, expires)}"

    def serve(self, record: Record, place: Place, target: str, headers: Mapping[str, str]) -> Reply:
        """The image, whole or the asked byte range.

        Raises:
            Refusal: 403 for an expired or forged link, 404 for an image that was never made.
        """
        self._check_link(target)
        if (
            place.extension != record.extension
            or place.index >= record.count
            or place.index in record.failed_items
            or record.empty
        ):
            raise not_found()
        data = self._studio.encoded(self._picture(record, place.index))
        kind = "image/png" if record.extension == "png" else "image/jpeg"
        return bytes_reply(data, kind, headers)

    def _check_link(self, target: str) -> None:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        expires = query.get("expires", [""])[0]
        if not expires and self._life_s is None:
            return
        known = self._signature(parts.path, expires)
        signature = query.get("signature", [""])[0]
        if not hmac.compare_digest(known.encode(), signature.encode("utf-8", "replace")):
            raise relay_refusal(403, "The link's signature does not match", kind="access_denied")
        if self._now() >= float(expires):
            raise relay_refusal(403, "Request has expired", kind="access_denied")

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path} {expires}".encode(), hashlib.sha256).hexdigest()[:32]

    def _picture(self, record: Record, index: int) -> Picture:
        ratio = _ratio(record, index)
        return Picture(
            digest=record.digest,
            index=index,
            count=record.count,
            size=PIXELS[record.tier][ratio],
            prompt=record.prompt,
            caption=f"{record.model}   {record.tier}   {ratio}",
            thumbnails=tuple(self._store.thumbnail(name) for name in record.thumbnails),
            watermark=record.watermark,
            output_format="png" if record.extension == "png" else "jpeg",
        )


def not_found() -> Refusal:
    """The 404 of an image that is not there."""
    return relay_refusal(404, "Image not found", kind="not_found_error")


def _ratio(record: Record, index: int) -> str:
    if index == 0 or MIXED_SIZES not in record.prompt:
        return record.ratio
    others = [ratio for ratio in _OTHER_RATIOS if ratio != record.ratio]
    return others[(index - 1) % len(others)]


def _kept_secret(path: Path) -> bytes:
    """The key that links are signed with; kept, so that links outlive a restart."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        write_privately(path, secrets.token_bytes(32))
        return path.read_bytes()
