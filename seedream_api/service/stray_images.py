"""Find traces of images in a response outside the fields in which results are read."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any, cast

MAX_DEPTH = 12
"""Levels of nested lists and objects that are searched."""
LEAST_BASE64 = 200
"""Characters from which a text in the alphabet of Base64 may be an image."""
SEARCHED = 64 * 1024
"""Characters of one text that are searched; searching 80 MB would stop every other thread."""

_NOT_RESULTS = re.compile(
    r"err|message|msg|reason|detail|title|type|instance|doc|help|support|request|input|param|prompt"
    r"|reference",
    re.IGNORECASE,
)
"""Parts of the names of fields that explain an error, link to help or repeat the request."""
_IMAGE = re.compile(r"https?://|data:image/|<svg\b", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")


def has_stray_image(payload: Any, blobs: Container[str] = (), depth: int = MAX_DEPTH) -> bool:
    """Return whether any field, except those about an error or the request, may hold an image.

    Args:
        blobs: the marks of long texts, which are not in the payload; see :class:`~.bodies.Body`.
    """
    if isinstance(payload, str):
        if len(payload) > SEARCHED or payload in blobs:
            return True
        is_base64 = len(payload) >= LEAST_BASE64 and bool(_BASE64.fullmatch(payload))
        return is_base64 or bool(_IMAGE.search(payload))
    if depth == 0:
        return bool(payload)
    if isinstance(payload, list):
        return any(has_stray_image(each, blobs, depth - 1) for each in cast("list[Any]", payload))
    if not isinstance(payload, dict):
        return False
    fields = cast("dict[Any, Any]", payload).items()
    return any(
        not _NOT_RESULTS.search(str(name)) and has_stray_image(value, blobs, depth - 1)
        for name, value in fields
    )
