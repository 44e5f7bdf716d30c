"""What a file is, by its first bytes, and whether its end is there. No pixel is decoded here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 512
"""So many first bytes are enough for every answer given here."""
_TAIL_BYTES = 64 * 1024

_MAGIC: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_OTHERS: Mapping[bytes, str] = {
    b"<!doctype html": "HTML",
    b"<html": "HTML",
    b"<head": "HTML",
    b"<body": "HTML",
    b"{": "JSON",
    b"[": "JSON",
    b"%pdf": "PDF",
    b"pk\x03\x04": "ZIP",
    b"\x1f\x8b": "GZIP",
}


def media_type_of(head: bytes) -> str | None:
    """The media type of an image file that begins with ``head``; ``None`` for anything else."""
    for magic, media_type in _MAGIC.items():
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    # Two letters begin many a text; a bitmap also has the size of its second header.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "image/bmp"
    return None


def kind_of(head: bytes) -> str:
    """A short name, the same in every language, for what is no image of ours."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, kind in _OTHERS.items():
        if text.startswith(beginning):
            return kind
    if text.startswith(b"<"):
        return "SVG" if b"<svg" in text else "XML"
    if head[4:8] == b"ftyp":
        return head[8:12].decode("ascii", "replace").strip().upper()
    return "TEXT" if head.isascii() and b"\0" not in head else "?"


def is_cut(path: Path, media_type: str, *, length_known: bool) -> bool:
    """Whether the end of the image is missing; extra bytes after it are nobody's business.

    Args:
        length_known: whether surely nothing more is to come. Then a JPEG without its end mark
            passes, since some programs write none.
    """
    with path.open("rb") as file:
        if media_type == "image/png":
            return not _has_last_png_chunk(file)
        if media_type == "image/webp":
            announced = int.from_bytes(file.read(8)[4:], "little")
            return path.stat().st_size < 8 + announced
        if media_type == "image/jpeg" and not length_known:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return b"\xff\xd9" not in file.read()
    return False


def _has_last_png_chunk(file: BinaryIO) -> bool:
    file.seek(8)
    while len(header := file.read(8)) == 8:
        if header[4:] == b"IEND":
            return True
        file.seek(int.from_bytes(header[:4], "big") + 4, 1)
    return False
