"""Show results in a notebook: small PNG copies and a line of text."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 512
"""Pixels per side; a notebook keeps the copies in its file."""


def to_preview_png(image: Image) -> bytes:
    """Encode an image as a PNG of at most 512 pixels per side."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    stream = BytesIO()
    small.save(stream, "PNG")
    return stream.getvalue()


def to_html(result: Mapping[str, Any], previews: Sequence[bytes | None]) -> str:
    """Build the HTML of a result.

    Args:
        result: the result as a JSON object.
        previews: one PNG per image; ``None`` where the file is gone.
    """
    charged = result["charged_images"]
    words = [
        result["model"] or "",
        result["status"],
        result["origin"],
        f"charged images: {charged}",
    ]
    words += [failure["reason"] for failure in result["failures"]]
    line = html.escape(" \u00b7 ".join(filter(None, words)))
    pictures = "".join(
        f'<img style="margin:4px" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for png in previews
        if png is not None
    )
    return f"<div>{line}</div><div>{pictures}</div>"
