"""Hostile and odd files, served with a good name and type."""

from __future__ import annotations

import gzip

from .. import crafted_images as files
from .case import BOMB, BROKEN, CUT, JPEG, NO_IMAGE, PNG

FILES: list[tuple[str, bytes, str, str]] = [
    ("nothing", b"", CUT, "empty"),
    ("one byte", b"\x89", NO_IMAGE, "?"),
    ("web page", b"<!DOCTYPE html><html>Sign in", NO_IMAGE, "HTML"),
    ("web page behind a byte order mark", b"\xef\xbb\xbf <html>", NO_IMAGE, "HTML"),
    ("error in JSON", b'{"error": "expired"}', NO_IMAGE, "JSON"),
    ("error in XML", b"<Error><Code>AccessDenied</Code></Error>", NO_IMAGE, "XML"),
    ("SVG with a script", b"<svg xmlns=''><script>alert(1)</script></svg>", NO_IMAGE, "SVG"),
    ("PDF", b"%PDF-1.7\n" + bytes(99), NO_IMAGE, "PDF"),
    ("PostScript, which Pillow would run", b"%!PS-Adobe-3.0 EPSF-3.0\n", NO_IMAGE, "TEXT"),
    ("archive", b"PK\x03\x04" + bytes(99), NO_IMAGE, "ZIP"),
    ("page inside gzip", gzip.compress(b"<html>"), NO_IMAGE, "HTML"),
    ("AVIF", b"\0\0\0\x1cftypavif\0\0\0\0" + bytes(99), NO_IMAGE, "AVIF"),
    ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0" + bytes(99), NO_IMAGE, "HEIC"),
    ("film", b"\0\0\0\x18ftypmp42\0\0\0\0" + bytes(99), NO_IMAGE, "MP42"),
    ("program", b"\x7fELF\x02\x01\x01\0" + bytes(99), NO_IMAGE, "?"),
    ("sound in the container of WebP", b"RIFF\x10\0\0\0WAVEfmt ", NO_IMAGE, "?"),
    ("PPM, which Pillow could read", b"P6 2 2 255 " + bytes(12), NO_IMAGE, "?"),
    ("icon, which Pillow could read", files.of_mode("ICO", "RGB"), NO_IMAGE, "?"),
    ("words that begin like a bitmap", b"BM is not always a bitmap", NO_IMAGE, "TEXT"),
    # polyglots: two formats at once
    ("GIF that is a script", b"GIF89a=1;alert(1)//" + b"a" * 40, BROKEN, ""),
    ("PNG that is a web page", files.PNG_SIGNATURE + b"<html><script>" + bytes(99), CUT, "end"),
    ("JPEG that is an archive", b"\xff\xd8\xff\xe0PK\x03\x04" + bytes(99), BROKEN, ""),
    ("TIFF that is a shell script", b"II*\0\n#!/bin/sh\nrm -rf /\n", BROKEN, ""),
    # cut
    ("PNG, half of it", PNG[: len(PNG) // 2], CUT, "end of the image is missing"),
    ("PNG without its last chunk", PNG[:-12], CUT, "end of the image is missing"),
    ("PNG of a header alone", files.PNG_SIGNATURE, CUT, "end of the image is missing"),
    ("JPEG, half of it", JPEG[: len(JPEG) // 2], BROKEN, ""),
    ("JPEG of a start mark alone", b"\xff\xd8\xff", BROKEN, ""),
    ("WebP, half of it", files.saved("WEBP")[:400], CUT, "end of the image is missing"),
    ("GIF, half of it", files.saved("GIF")[:400], BROKEN, ""),
    ("BMP, half of it", files.saved("BMP")[:400], BROKEN, ""),
    ("TIFF, half of it", files.saved("TIFF")[:400], BROKEN, ""),
    # damaged
    ("PNG with a wrong checksum", PNG[:29] + b"\0\0\0\0" + PNG[33:], BROKEN, ""),
    ("PNG with torn data", files.png(24, 24, b"\x78\x9c\xff\xff\xff\xff"), BROKEN, ""),
    ("PNG with too few rows", files.png(24, 24, b"\x78\x9c\x63\0\0\0\1\0\1"), BROKEN, ""),
    ("PNG of no pixels", files.png(0, 0, b""), BROKEN, ""),
    ("PNG of a depth that does not exist", files.png(4, 4, b"", depth=3), BROKEN, ""),
    ("TIFF of floats", files.of_mode("TIFF", "F"), BROKEN, "mode F"),
    ("TIFF of 32-bit heights", files.of_mode("TIFF", "I"), BROKEN, "known white"),
    ("TIFF that points past its end", b"II*\0\0\0\0\x80", BROKEN, ""),
    ("TIFF that points at itself", b"II*\0\0\0\0\0" + bytes(99), BROKEN, ""),
    (
        "TIFF of two thousand million samples",
        files.tiff({256: (4, 1, 9), 257: (4, 1, 9), 277: (4, 1, 2**31)}),
        BROKEN,
        "",
    ),
    ("BMP of negative width", files.bmp(-9, 9), BOMB, "4294967287"),
    # bombs
    ("PNG of 60000 x 60000", files.png(60_000, 60_000, b"\x78\x9c\x03\0\0\0\0\1"), BOMB, "60000"),
    (
        "PNG of the largest sides",
        files.png(2**31 - 1, 2**31 - 1, b"\x78\x9c\x03\0\0\0\0\1"),
        BOMB,
        "2147483647",
    ),
    ("JPEG of 65000 x 65000", files.jpeg_of_size(65_000, 65_000), BOMB, "65000"),
    ("WebP of 16383 x 16383", files.webp_of_canvas(16_383), BOMB, "16383"),
    ("GIF screen of 65535 x 65535", files.gif(65_535, 1), BOMB, "65535"),
    ("GIF frame beyond its screen", files.gif(1, 40_000), BROKEN, "exceeds limit"),
    ("BMP of 50000 x 50000", files.bmp(50_000, 50_000), BOMB, "50000"),
    ("BMP of run lengths", files.bmp(50_000, 50_000, 8, 1), BOMB, "50000"),
    ("TIFF of 50000 x 50000", files.tiff_of_size(50_000), BOMB, "50000"),
    ("text in a PNG that unpacks to 300 MB", files.with_packed_text(b"zTXt", 300 << 20),
     BROKEN, ""),
    ("JPEG of 100000 passes", files.of_many_scans(512, 100_000), BROKEN, "100 scans"),
]  # fmt: skip
