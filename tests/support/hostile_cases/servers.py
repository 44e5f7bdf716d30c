"""Servers that are silent, endless, slow or wrong."""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ..hostile_server import HELD, RESET, answer, chunked, part, redirect
from .case import CUT, NO_IMAGE, PNG, TOO_LARGE


def _endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    """Hundreds of megabytes; the client must go away long before their end."""
    return itertools.chain([head], itertools.repeat(piece, 500_000_000 // len(piece)))


def _dripping(head: bytes, drop: bytes = b"x") -> Iterator[bytes]:
    """A drop every twenty milliseconds, for ten seconds if the client stays."""
    yield head
    for _ in range(500):
        time.sleep(0.02)
        yield drop


def _every_time(make: Any) -> list[Any]:
    """Make a new script for every connection."""
    return [lambda request: make()]


_SLOW = "less than"
_HEAD = b"HTTP/1.1 200 OK\r\n"
SERVERS: list[tuple[str, Sequence[Any], str, str]] = [
    ("silent from the start", [[HELD]], CUT, _SLOW),
    ("silent after its status", [[_HEAD, HELD]], CUT, _SLOW),
    ("silent after its headers", [[answer(b"", length=1000), HELD]], CUT, _SLOW),
    ("silent half way", [[answer(PNG[:100], length=len(PNG)), HELD]], CUT, _SLOW),
    ("headers by drops", _every_time(lambda: _dripping(_HEAD + b"X-Drip: ")), CUT, _SLOW),
    ("body by drops", _every_time(lambda: _dripping(answer(PNG[:9], length=10**6))),
     CUT, "could not be fetched"),
    ("chunks by drops",
     _every_time(lambda: _dripping(chunked(PNG[:-20], end=False), b"1\r\nx\r\n")),
     CUT, "could not be fetched"),
    ("endless image of no length",
     _every_time(lambda: _endless(answer(PNG, length=None), bytes(65536))), TOO_LARGE, ""),
    ("endless image in chunks",
     _every_time(lambda: _endless(chunked(PNG, end=False), b"10000\r\n" + bytes(65536) + b"\r\n")),
     TOO_LARGE, ""),
    ("endless web page",
     _every_time(lambda: _endless(answer(b"<html>", length=None), b" " * 65536)),
     NO_IMAGE, "HTML"),
    ("endless headers", _every_time(lambda: _endless(_HEAD, b"X-More: " + b"a" * 999 + b"\r\n")),
     CUT, "cut"),
    ("endless promises to go on",
     _every_time(lambda: _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")), CUT, ""),
    ("endless trailers",
     _every_time(lambda: _endless(chunked(PNG[:-20])[:-2], b"X-More: " + b"a" * 999 + b"\r\n")),
     CUT, ""),
    ("length of a terabyte", [[answer(b"", length=10**12), HELD]], TOO_LARGE, ""),
    ("length too large", [answer(PNG[:-9], length=len(PNG) + 9)], CUT, "cut"),
    ("length too small", [answer(PNG, length=200)], CUT, "missing"),
    ("two lengths", [answer(PNG[:-20], "Content-Length: 5")], CUT, "missing"),
    ("negative length", [answer(PNG[:-20], "Content-Length: -1", length=None)], CUT, "missing"),
    ("chunk of a size that is no number",
     [answer(b"zz\r\n", "Transfer-Encoding: chunked", length=None)], CUT, "cut"),
    ("chunk of 16 exabytes",
     [[answer(b"ffffffffffffffff\r\n", "Transfer-Encoding: chunked", length=None), HELD]],
     CUT, ""),
    ("packed with Brotli",
     [answer(b"\x0b" + bytes(99), "Content-Encoding: br")], CUT, "compressed"),
    ("bomb behind a picture's first bytes",
     [answer(gzip.compress(PNG + bytes(9_000_000)), "Content-Encoding: gzip")], TOO_LARGE, ""),
    ("packed three times",
     [answer(gzip.compress(bytes(9_000_000)), "Content-Encoding: gzip, gzip, br")],
     CUT, "compressed"),
    ("closes at once", [b""], CUT, ""),
    ("resets at once", [[RESET]], CUT, ""),
    ("resets half way", [[answer(PNG[:99], length=len(PNG)), RESET]], CUT, ""),
    ("speaks TLS", [b"\x15\x03\x01\0\x02\x02\x46"], CUT, ""),
    ("speaks SSH", [b"SSH-2.0-OpenSSH_9.6\r\n"], CUT, ""),
    ("speaks HTTP/2", [b"\0\0\x12\x04\0\0\0\0\0" + bytes(18)], CUT, ""),
    ("speaks no HTTP but sends a picture", [PNG], CUT, ""),
    ("switches protocols", [answer(b"", status="101 Switching Protocols", length=None)], CUT, ""),
    ("sends a part unasked", [part(PNG, 9)], CUT, "HTTP 206"),
    ("has no content", [answer(b"", status="204 No Content", length=None)], CUT, "HTTP 204"),
    ("is always busy", [answer(b"", status="503 Busy")], CUT, "HTTP 503"),
    ("holds everyone off for an hour",
     [answer(b"", "Retry-After: 3600", status="429 Too Many")], CUT, "HTTP 429"),
    ("has an expired signature", [answer(PNG, status="403 Forbidden")], "link_dead", "HTTP 403"),
    ("has lost it", [answer(PNG, status="404 Not Found")], "link_dead", "HTTP 404"),
    ("begins again and again", [answer(PNG[:-9], length=10**6)], CUT, ""),
    ("redirects for ever", [redirect("/again")], CUT, "redirects"),
    ("redirects to nowhere", [answer(b"", status="302 Found")], CUT, "Location"),
]  # fmt: skip
