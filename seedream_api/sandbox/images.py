"""The sandbox's own image host: references uploaded here have an http URL that it can read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from ..catalog import MAX_REFERENCE_BYTES
from .references import FORMATS, UnreadableImage, opened
from .replies import Refusal, Reply, bytes_reply, json_reply, relay_refusal
from .tasks import private_folder, write_privately

PREFIX = "/sandbox/images/"

_NAME = re.compile(r"[0-9a-f]{64}\.(jpg|png|webp|bmp|tiff|gif)")


class ImageHost:
    """Images by the hash of their content, below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)

    def upload(self, body: bytes, address: str) -> Reply:
        """Keep an image; the answer is ``{"url": ...}`` below ``address``, by content.

        Raises:
            Refusal: 413 over `MAX_REFERENCE_BYTES`, 400 for what is no image.
        """
        if len(body) > MAX_REFERENCE_BYTES.value:
            raise too_large(MAX_REFERENCE_BYTES.value)
        try:
            suffix = FORMATS[opened(body).format or ""].replace("jpeg", "jpg")
        except UnreadableImage as error:
            raise relay_refusal(400, f"not an image: {error}", code="invalid_request") from None
        name = f"{hashlib.sha256(body).hexdigest()}.{suffix}"
        path = self._folder / name
        if not path.exists():
            write_privately(path, body)
        return json_reply({"url": f"{address}{PREFIX}{name}"})

    def serve(self, name: str, headers: dict[str, str]) -> Reply:
        """A kept image, whole or the asked byte range.

        Raises:
            Refusal: 404 for a name that is not kept.
        """
        data = self._kept(name)
        found = _NAME.fullmatch(name)
        if data is None or not found:
            raise relay_refusal(404, "Image not found", kind="not_found_error")
        kind = found.group(1).replace("jpg", "jpeg")
        return bytes_reply(data, f"image/{kind}", headers)

    def own_image(self, url: str, address: str) -> bytes | None:
        """The bytes behind one of this host's URLs; None for any other URL."""
        if not url.startswith(f"{address}{PREFIX}"):
            return None
        return self._kept(urlsplit(url).path.removeprefix(PREFIX))

    def _kept(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes() if _NAME.fullmatch(name) else None
        except FileNotFoundError:
            return None


def too_large(limit: int) -> Refusal:
    """The 413 for a body over ``limit`` bytes, in new-api's words."""
    message = f"request body too large: over {limit} bytes"
    return relay_refusal(413, message, code="read_request_body_failed")
