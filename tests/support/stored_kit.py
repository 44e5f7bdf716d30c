"""Stored files of the tests."""

from __future__ import annotations

from pathlib import Path

from support.download_kit import encoded

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"


TWO_DAYS_S = 2 * 86_400


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def of_undecodable_pixels() -> list[bytes]:
    png = encoded("PNG")
    size_of_pixels = png.index(b"IDAT") - 4
    torn = bytearray(png)
    torn[size_of_pixels + 20 : size_of_pixels + 60] = bytes(40)
    jpeg = encoded("JPEG")
    return [
        bytes(torn),
        b"\x89PNG\r\n\x1a\n" + bytes(64) + b"\0\0\0\0IEND\xaeB`\x82",
        jpeg[: len(jpeg) // 2],
        encoded("BMP")[:400],
    ]


UNDECODABLE = of_undecodable_pixels()
