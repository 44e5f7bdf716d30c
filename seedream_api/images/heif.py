"""Convert HEIC and AVIF files, which the service does not accept.

HEIC needs the library pillow-heif, which the extra ``images`` of the distribution installs. Newer
versions of Pillow read AVIF.
"""

from __future__ import annotations

import importlib
from io import BytesIO
from typing import Any

from PIL.ImageOps import exif_transpose

from ..errors import ResultUnavailable
from ..messages import Text
from .decode import MAX_PIXELS, image_errors

REQUIREMENT = "pillow-heif>=0.20,<2"
_BRANDS = frozenset((
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
))  # fmt: skip
"""Brands of ISO 23008-12 (HEIF) and of AV1 in it (AVIF)."""


def find_heif_kind(head: bytes) -> str | None:
    """Return ``HEIC`` or ``AVIF`` for a file that begins with ``head``; ``None`` for others."""
    if head[4:8] != b"ftyp" or head[8:12] not in _BRANDS:
        return None
    # A file of the general brand lists its real one among the compatible brands.
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return "AVIF" if {b"avif", b"avis"} & _list_brands(head[:size]) else "HEIC"


def _list_brands(box: bytes) -> set[bytes]:
    return {box[8:12], *(box[at : at + 4] for at in range(16, len(box), 4))}


def convert_to_png(data: bytes, kind: str, *, name: str, max_pixels: int = MAX_PIXELS) -> bytes:
    """Convert a file to a PNG of 8 bits per channel, with its color profile.

    Args:
        kind: ``HEIC`` or ``AVIF``.

    Raises:
        ResultUnavailable: the library is missing, the file is damaged, or it has more than
            ``max_pixels`` pixels; no memory was allocated for them.
    """
    with image_errors(name):
        opened = _open_avif(data) if kind == "AVIF" else None
        if opened is None:
            opened = _import_library(name).open_heif(BytesIO(data))
        width, height = opened.size
        if width * height > max_pixels:
            raise ResultUnavailable(
                "picture_too_large", given=name, width=width, height=height, allowed=max_pixels
            )
        image: Any = opened.to_pillow() if hasattr(opened, "to_pillow") else exif_transpose(opened)
        stream = BytesIO()
        image.save(stream, "PNG", compress_level=1, icc_profile=image.info.get("icc_profile"))
        return stream.getvalue()


def _open_avif(data: bytes) -> Any:
    """Open an AVIF file with Pillow; ``None`` if this Pillow cannot."""
    try:
        plugin = importlib.import_module("PIL.AvifImagePlugin")  # Pillow 11.3
    except ImportError:
        return None
    return plugin.AvifImageFile(BytesIO(data)) if plugin.SUPPORTED else None


def _import_library(name: str) -> Any:
    try:
        return importlib.import_module("pillow_heif")
    except ImportError:
        reason = Text("needs_library", library=REQUIREMENT)
        raise ResultUnavailable("picture_unreadable", given=name, reason=reason) from None
