"""The sandbox's own image host: an upload target whose URLs the sandbox can read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from ..catalog import MAX_REFERENCE_BYTES
from ..config.paths import make_private_folder
from .exchange import Reply, json_reply, not_found, relay_refusal, too_large
from .references import FORMATS, UnreadableImage, open_image
from .tasks import write_privately

PREFIX = "/sandbox/images/"

_NAME = re.compile(r"[0-9a-f]{64}\.(jpg|png|webp|bmp|tiff|gif)")


class ImageHost:
    """Images in one folder, named by the hash of their content."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._folder = folder

    def upload(self, body: bytes, address: str) -> Reply:
        """Store an image; the response is ``{"url": ...}`` below ``address``.

        Raises:
            Refusal: 413 over `MAX_REFERENCE_BYTES`, 400 if it is not an image.
        """
        if len(body) > MAX_REFERENCE_BYTES.value:
            raise too_large(MAX_REFERENCE_BYTES.value)
        try:
            suffix = FORMATS[open_image(body).format or ""].replace("jpeg", "jpg")
        except UnreadableImage as error:
            raise relay_refusal(400, f"not an image: {error}", code="invalid_request") from None
        name = f"{hashlib.sha256(body).hexdigest()}.{suffix}"
        path = self._folder / name
        if not path.exists():
            write_privately(path, body)
        return json_reply({"url": f"{address}{PREFIX}{name}"})

    def serve(self, path: str) -> Reply:
        """Return the stored image at a URL path.

        Raises:
            Refusal: 404 for an unknown name.
        """
        name = path.removeprefix(PREFIX)
        data = self._read(name)
        if data is None:
            raise not_found()
        return Reply(200, data, f"image/{name.rpartition('.')[2].replace('jpg', 'jpeg')}")

    def read_own_url(self, url: str, address: str) -> bytes | None:
        """Return the image at one of this host's URLs; None for any other URL."""
        if not url.startswith(f"{address}{PREFIX}"):
            return None
        return self._read(urlsplit(url).path.removeprefix(PREFIX))

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes() if _NAME.fullmatch(name) else None
        except FileNotFoundError:
            return None
