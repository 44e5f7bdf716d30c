"""Tell what a file is by its first bytes, and whether its end is there; no pixel is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path

from ..messages.page_title import title_of
from ..redaction import redact

HEAD_BYTES = 4096
"""This many first bytes tell every image, and nearly every page with its title."""
_JPEG_SCAN = 0xDA
_GIF_IMAGE, _GIF_EXTENSION, _GIF_TRAILER = 0x2C, 0x21, 0x3B

_MAGIC: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_SUFFIXES: Mapping[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
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
    """Return the media type of an image that begins with ``head``; ``None`` for anything else."""
    for magic, media_type in _MAGIC.items():
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    # Text may begin with these two letters; a bitmap also has the size of its second header.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "image/bmp"
    return None


def suffix_of(media_type: str | None) -> str:
    """Return the suffix of file names for a media type; ``.bin`` where it is not an image's."""
    return _SUFFIXES.get(media_type or "", ".bin")


def kind_of(head: bytes) -> str:
    """Name the kind of data that is not a known image, in a word that needs no translation."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, kind in _OTHERS.items():
        if text.startswith(beginning):
            return kind
    if text.startswith(b"<"):
        # Comments or an XML declaration may precede the page itself.
        marks = {mark: text.find(mark) for mark in (b"<html", b"<body", b"<title", b"<svg")}
        found = [mark for mark in marks if marks[mark] >= 0]
        first = min(found, key=marks.__getitem__, default=b"")
        return {b"": "XML", b"<svg": "SVG"}.get(first, "HTML")
    if head[4:8] == b"ftyp":
        return head[8:12].decode("ascii", "replace").strip().upper()
    return "TEXT" if head.isascii() and b"\0" not in head else "?"


def describe_head(head: bytes) -> str:
    """Name the kind of data, with the title of a page or an XML error."""
    kind = kind_of(head)
    title = redact(title_of(head)) if kind in ("HTML", "XML") else ""
    return f"{kind} ({title})" if title else kind


def is_cut(path: Path, media_type: str, *, length_known: bool) -> bool:
    """Whether the end of the image is missing; extra bytes after it are ignored.

    Args:
        length_known: whether the server definitely sends nothing more. Then a JPEG or GIF without
            its end mark is accepted, since some programs write none.
    """
    if media_type not in _ENDS or has_end(path, media_type):
        return False
    return not (length_known and media_type in ("image/jpeg", "image/gif"))


def has_end(path: Path, media_type: str) -> bool:
    """Whether the image's own end mark is in the file; false for formats without one."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return has_end_mark(data, media_type)
    except ValueError:  # it is empty
        return False


def has_end_mark(data: bytes | mmap, media_type: str) -> bool:
    """Whether the image's own end mark is in the bytes; false for formats without one."""
    find_end = _ENDS.get(media_type)
    try:
        return find_end is not None and find_end(data)
    except (IndexError, ValueError):  # it is cut inside a header
        return False


def _has_last_png_chunk(data: bytes | mmap) -> bool:
    at = 8
    while len(header := data[at : at + 8]) == 8:
        at += 12 + int.from_bytes(header[:4], "big")
        if header[4:] == b"IEND":
            return at <= len(data)
    return False


def _has_whole_riff(data: bytes | mmap) -> bool:
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _has_jpeg_end(data: bytes | mmap) -> bool:
    """Search after the start of the first scan: a thumbnail before it has an end mark too."""
    at = 2
    while data[at] == 0xFF:
        kind = data[at + 1]
        if kind == _JPEG_SCAN:
            return data.rfind(b"\xff\xd9", at) >= 0
        # Padding and markers without content have no length.
        has_length = kind not in (0x01, 0xFF) and not 0xD0 <= kind <= 0xD8
        step = 1 if kind == 0xFF else 2
        at += step + (int.from_bytes(data[at + 2 : at + 4], "big") if has_length else 0)
    return data.rfind(b"\xff\xd9", at) >= 0


def _has_gif_trailer(data: bytes | mmap) -> bool:
    at = 13 + _palette_bytes(data[10])
    while data[at] != _GIF_TRAILER:
        if data[at] == _GIF_IMAGE:
            at += 11 + _palette_bytes(data[at + 9])
        elif data[at] == _GIF_EXTENSION:
            at += 2
        else:
            return False
        while data[at]:
            at += 1 + data[at]
        at += 1
    return True


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


_ENDS: Mapping[str, Callable[[bytes | mmap], bool]] = {
    "image/png": _has_last_png_chunk,
    "image/webp": _has_whole_riff,
    "image/jpeg": _has_jpeg_end,
    "image/gif": _has_gif_trailer,
}
