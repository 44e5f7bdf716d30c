"""One hostile case, and the errors that the cases end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import crafted_images as files

PNG, JPEG = files.saved("PNG"), files.saved("JPEG")
MAX_BYTES = 4 * 1024 * 1024
"""Of one image, in the gallery."""


@dataclass(frozen=True)
class Case:
    """One exhibit.

    Args:
        key: of the error, as in ``messages``.
        words: that the English error holds.
        scripts: what the server on the public internet says, connection by connection; ``{port}``
            in a text is the port that this server and the private one share.
        url: where ``{host}`` is the public server's name and ``{port}`` its port.
        names: what the name of the host leads to, look-up by look-up; the last one for ever.
            127.0.0.2 plays the public internet, everything else is what it is.
        proxied: whether the environment names a proxy, which is the public server.
    """

    name: str
    key: str
    words: str = ""
    scripts: Sequence[Any] = ()
    url: str = "http://{host}:{port}/a.png"
    names: Sequence[Sequence[str]] = (("127.0.0.2",),)
    proxied: bool = False


BROKEN = "picture_unreadable"
NO_IMAGE = "download_no_image"
CUT = "download_failed"
BOMB = "picture_too_large"
TOO_LARGE = "download_too_large"
PRIVATE, MALFORMED, NO_HTTP = "url_private", "url_malformed", "url_not_http"
