"""Hostile and odd files, servers, addresses and names, each with its error.

One entry is one case: what it is, how it is served, the key of the error it must end with, and
words that the error must hold. Everything here is refused; what is odd but sound is in the tests of
decoding.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import crafted_images as files
from .hostile_server import HELD, RESET, answer, chunked, part, redirect

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


# ---- files: served as they should be, with a good name and type ----

_BROKEN = "picture_unreadable"
_NO_IMAGE = "download_no_image"
_CUT = "download_failed"
_BOMB = "picture_too_large"

_FILES: list[tuple[str, bytes, str, str]] = [
    ("nothing", b"", _CUT, "empty"),
    ("one byte", b"\x89", _NO_IMAGE, "?"),
    ("web page", b"<!DOCTYPE html><html>Sign in", _NO_IMAGE, "HTML"),
    ("web page behind a byte order mark", b"\xef\xbb\xbf <html>", _NO_IMAGE, "HTML"),
    ("error in JSON", b'{"error": "expired"}', _NO_IMAGE, "JSON"),
    ("error in XML", b"<Error><Code>AccessDenied</Code></Error>", _NO_IMAGE, "XML"),
    ("SVG with a script", b"<svg xmlns=''><script>alert(1)</script></svg>", _NO_IMAGE, "SVG"),
    ("PDF", b"%PDF-1.7\n" + bytes(99), _NO_IMAGE, "PDF"),
    ("PostScript, which Pillow would run", b"%!PS-Adobe-3.0 EPSF-3.0\n", _NO_IMAGE, "TEXT"),
    ("archive", b"PK\x03\x04" + bytes(99), _NO_IMAGE, "ZIP"),
    ("page inside gzip", gzip.compress(b"<html>"), _NO_IMAGE, "HTML"),
    ("AVIF", b"\0\0\0\x1cftypavif\0\0\0\0" + bytes(99), _NO_IMAGE, "AVIF"),
    ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0" + bytes(99), _NO_IMAGE, "HEIC"),
    ("film", b"\0\0\0\x18ftypmp42\0\0\0\0" + bytes(99), _NO_IMAGE, "MP42"),
    ("program", b"\x7fELF\x02\x01\x01\0" + bytes(99), _NO_IMAGE, "?"),
    ("sound in the container of WebP", b"RIFF\x10\0\0\0WAVEfmt ", _NO_IMAGE, "?"),
    ("PPM, which Pillow could read", b"P6 2 2 255 " + bytes(12), _NO_IMAGE, "?"),
    ("icon, which Pillow could read", files.of_mode("ICO", "RGB"), _NO_IMAGE, "?"),
    ("words that begin like a bitmap", b"BM is not always a bitmap", _NO_IMAGE, "TEXT"),
    # polyglots: two formats at once
    ("GIF that is a script", b"GIF89a=1;alert(1)//" + b"a" * 40, _BROKEN, ""),
    ("PNG that is a web page", files.PNG_SIGNATURE + b"<html><script>" + bytes(99), _CUT, "end"),
    ("JPEG that is an archive", b"\xff\xd8\xff\xe0PK\x03\x04" + bytes(99), _BROKEN, ""),
    ("TIFF that is a shell script", b"II*\0\n#!/bin/sh\nrm -rf /\n", _BROKEN, ""),
    # cut
    ("PNG, half of it", PNG[: len(PNG) // 2], _CUT, "end of the image is missing"),
    ("PNG without its last chunk", PNG[:-12], _CUT, "end of the image is missing"),
    ("PNG of a header alone", files.PNG_SIGNATURE, _CUT, "end of the image is missing"),
    ("JPEG, half of it", JPEG[: len(JPEG) // 2], _BROKEN, ""),
    ("JPEG of a start mark alone", b"\xff\xd8\xff", _BROKEN, ""),
    ("WebP, half of it", files.saved("WEBP")[:400], _CUT, "end of the image is missing"),
    ("GIF, half of it", files.saved("GIF")[:400], _BROKEN, ""),
    ("BMP, half of it", files.saved("BMP")[:400], _BROKEN, ""),
    ("TIFF, half of it", files.saved("TIFF")[:400], _BROKEN, ""),
    # damaged
    ("PNG with a wrong checksum", PNG[:29] + b"\0\0\0\0" + PNG[33:], _BROKEN, ""),
    ("PNG with torn data", files.png(24, 24, b"\x78\x9c\xff\xff\xff\xff"), _BROKEN, ""),
    ("PNG with too few rows", files.png(24, 24, b"\x78\x9c\x63\0\0\0\1\0\1"), _BROKEN, ""),
    ("PNG of no pixels", files.png(0, 0, b""), _BROKEN, ""),
    ("PNG of a depth that does not exist", files.png(4, 4, b"", depth=3), _BROKEN, ""),
    ("TIFF of floats", files.of_mode("TIFF", "F"), _BROKEN, "mode F"),
    ("TIFF of 32-bit heights", files.of_mode("TIFF", "I"), _BROKEN, "known white"),
    ("TIFF that points past its end", b"II*\0\0\0\0\x80", _BROKEN, ""),
    ("TIFF that points at itself", b"II*\0\0\0\0\0" + bytes(99), _BROKEN, ""),
    (
        "TIFF of two thousand million samples",
        files.tiff({256: (4, 1, 9), 257: (4, 1, 9), 277: (4, 1, 2**31)}),
        _BROKEN,
        "",
    ),
    ("BMP of negative width", files.bmp(-9, 9), _BOMB, "4294967287"),
    # bombs
    ("PNG of 60000 x 60000", files.png(60_000, 60_000, b"\x78\x9c\x03\0\0\0\0\1"), _BOMB, "60000"),
    (
        "PNG of the largest sides",
        files.png(2**31 - 1, 2**31 - 1, b"\x78\x9c\x03\0\0\0\0\1"),
        _BOMB,
        "2147483647",
    ),
    ("JPEG of 65000 x 65000", files.jpeg_of_size(65_000, 65_000), _BOMB, "65000"),
    ("WebP of 16383 x 16383", files.webp_of_canvas(16_383), _BOMB, "16383"),
    ("GIF screen of 65535 x 65535", files.gif(65_535, 1), _BOMB, "65535"),
    ("GIF frame beyond its screen", files.gif(1, 40_000), _BROKEN, "exceeds limit"),
    ("BMP of 50000 x 50000", files.bmp(50_000, 50_000), _BOMB, "50000"),
    ("BMP of run lengths", files.bmp(50_000, 50_000, 8, 1), _BOMB, "50000"),
    ("TIFF of 50000 x 50000", files.tiff_of_size(50_000), _BOMB, "50000"),
    ("text in a PNG that unpacks to 300 MB", files.with_packed_text(b"zTXt", 300 << 20),
     _BROKEN, ""),
    ("JPEG of 100000 passes", files.of_many_scans(512, 100_000), _BROKEN, "100 scans"),
]  # fmt: skip


# ---- servers ----


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
_TOO_LARGE = "download_too_large"
_HEAD = b"HTTP/1.1 200 OK\r\n"

_SERVERS: list[tuple[str, Sequence[Any], str, str]] = [
    ("silent from the start", [[HELD]], _CUT, _SLOW),
    ("silent after its status", [[_HEAD, HELD]], _CUT, _SLOW),
    ("silent after its headers", [[answer(b"", length=1000), HELD]], _CUT, _SLOW),
    ("silent half way", [[answer(PNG[:100], length=len(PNG)), HELD]], _CUT, _SLOW),
    ("headers by drops", _every_time(lambda: _dripping(_HEAD + b"X-Drip: ")), _CUT, _SLOW),
    ("body by drops", _every_time(lambda: _dripping(answer(PNG[:9], length=10**6))),
     _CUT, "could not be fetched"),
    ("chunks by drops",
     _every_time(lambda: _dripping(chunked(PNG[:-20], end=False), b"1\r\nx\r\n")),
     _CUT, "could not be fetched"),
    ("endless image of no length",
     _every_time(lambda: _endless(answer(PNG, length=None), bytes(65536))), _TOO_LARGE, ""),
    ("endless image in chunks",
     _every_time(lambda: _endless(chunked(PNG, end=False), b"10000\r\n" + bytes(65536) + b"\r\n")),
     _TOO_LARGE, ""),
    ("endless web page",
     _every_time(lambda: _endless(answer(b"<html>", length=None), b" " * 65536)),
     _NO_IMAGE, "HTML"),
    ("endless headers", _every_time(lambda: _endless(_HEAD, b"X-More: " + b"a" * 999 + b"\r\n")),
     _CUT, "cut"),
    ("endless promises to go on",
     _every_time(lambda: _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")), _CUT, ""),
    ("endless trailers",
     _every_time(lambda: _endless(chunked(PNG[:-20])[:-2], b"X-More: " + b"a" * 999 + b"\r\n")),
     _CUT, ""),
    ("length of a terabyte", [[answer(b"", length=10**12), HELD]], _TOO_LARGE, ""),
    ("length too large", [answer(PNG[:-9], length=len(PNG) + 9)], _CUT, "cut"),
    ("length too small", [answer(PNG, length=200)], _CUT, "missing"),
    ("two lengths", [answer(PNG[:-20], "Content-Length: 5")], _CUT, "missing"),
    ("negative length", [answer(PNG[:-20], "Content-Length: -1", length=None)], _CUT, "missing"),
    ("chunk of a size that is no number",
     [answer(b"zz\r\n", "Transfer-Encoding: chunked", length=None)], _CUT, "cut"),
    ("chunk of 16 exabytes",
     [[answer(b"ffffffffffffffff\r\n", "Transfer-Encoding: chunked", length=None), HELD]],
     _CUT, ""),
    ("packed with Brotli",
     [answer(b"\x0b" + bytes(99), "Content-Encoding: br")], _CUT, "compressed"),
    ("bomb behind a picture's first bytes",
     [answer(gzip.compress(PNG + bytes(9_000_000)), "Content-Encoding: gzip")], _TOO_LARGE, ""),
    ("packed three times",
     [answer(gzip.compress(bytes(9_000_000)), "Content-Encoding: gzip, gzip, br")],
     _CUT, "compressed"),
    ("closes at once", [b""], _CUT, ""),
    ("resets at once", [[RESET]], _CUT, ""),
    ("resets half way", [[answer(PNG[:99], length=len(PNG)), RESET]], _CUT, ""),
    ("speaks TLS", [b"\x15\x03\x01\0\x02\x02\x46"], _CUT, ""),
    ("speaks SSH", [b"SSH-2.0-OpenSSH_9.6\r\n"], _CUT, ""),
    ("speaks HTTP/2", [b"\0\0\x12\x04\0\0\0\0\0" + bytes(18)], _CUT, ""),
    ("speaks no HTTP but sends a picture", [PNG], _CUT, ""),
    ("switches protocols", [answer(b"", status="101 Switching Protocols", length=None)], _CUT, ""),
    ("sends a part unasked", [part(PNG, 9)], _CUT, "HTTP 206"),
    ("has no content", [answer(b"", status="204 No Content", length=None)], _CUT, "HTTP 204"),
    ("is always busy", [answer(b"", status="503 Busy")], _CUT, "HTTP 503"),
    ("holds everyone off for an hour",
     [answer(b"", "Retry-After: 3600", status="429 Too Many")], _CUT, "HTTP 429"),
    ("has an expired signature", [answer(PNG, status="403 Forbidden")], "link_dead", "HTTP 403"),
    ("has lost it", [answer(PNG, status="404 Not Found")], "link_dead", "HTTP 404"),
    ("begins again and again", [answer(PNG[:-9], length=10**6)], _CUT, ""),
    ("redirects for ever", [redirect("/again")], _CUT, "redirects"),
    ("redirects to nowhere", [answer(b"", status="302 Found")], _CUT, "Location"),
]  # fmt: skip

_PRIVATE, _MALFORMED, _NO_HTTP = "url_private", "url_malformed", "url_not_http"

_REDIRECTS: list[tuple[str, str, str, str]] = [
    ("to loopback", "http://127.0.0.1:{port}/inside", _PRIVATE, "127.0.0.1"),
    ("to loopback without a scheme", "//127.0.0.1:{port}/inside", _PRIVATE, "127.0.0.1"),
    ("to the metadata service", "http://169.254.169.254/latest/meta-data/", _PRIVATE, "169.254"),
    ("to a mapped address", "http://[::ffff:127.0.0.1]:{port}/", _PRIVATE, "::ffff:7f00:1"),
    ("to a whole number", "http://2130706433:{port}/", _MALFORMED, "127.0.0.1"),
    ("to a user name before loopback", "http://{host}@127.0.0.1:{port}/", _MALFORMED, "user name"),
    ("to a backslash", "http://127.0.0.1:{port}\\@{host}/", _MALFORMED, "backslash"),
    ("to a file", "file:///etc/passwd", _MALFORMED, "http or https address"),
    ("to a script", "javascript:alert(1)", _MALFORMED, "http or https address"),
    ("to a data URI", "data:image/png;base64,AAAA", _MALFORMED, "http or https address"),
    ("to an endless address", "/" + "a" * 9000, _MALFORMED, "8192"),
]

# ---- addresses ----

_URLS: list[tuple[str, str, str, str]] = [
    ("file", "file:///etc/passwd", _NO_HTTP, "/etc/passwd"),
    ("FTP", "ftp://{host}:{port}/a.png", _NO_HTTP, ""),
    ("Gopher", "gopher://127.0.0.1:{port}/_GET", _NO_HTTP, ""),
    ("script", "javascript:alert(1)", _NO_HTTP, ""),
    ("no scheme", "{host}:{port}/a.png", _NO_HTTP, ""),
    ("path", "/home/me/.ssh/id_rsa", _NO_HTTP, ""),
    ("loopback", "http://127.0.0.1:{port}/", _PRIVATE, "127.0.0.1"),
    ("another loopback", "http://127.1.2.3:{port}/", _PRIVATE, "127.1.2.3"),
    ("localhost", "http://localhost:{port}/", _PRIVATE, "localhost"),
    ("localhost in capitals, with a dot", "http://LOCALHOST.:{port}/", _PRIVATE, "localhost"),
    ("a name below localhost", "http://app.localhost:{port}/", _PRIVATE, "localhost"),
    ("localhost in circles", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/", _PRIVATE, "localhost"),
    ("mapped loopback", "http://[::ffff:127.0.0.1]:{port}/", _PRIVATE, "::ffff:7f00:1"),
    ("IPv6 loopback", "http://[::1]:{port}/", _PRIVATE, "::1"),
    ("no address at all", "http://0.0.0.0:{port}/", _PRIVATE, "0.0.0.0"),
    ("IPv6 of no address", "http://[::]:{port}/", _PRIVATE, "::"),
    ("NAT64 of loopback", "http://[64:ff9b::7f00:1]:{port}/", _PRIVATE, "64:ff9b"),
    ("6to4 of loopback", "http://[2002:7f00:1::]:{port}/", _PRIVATE, "2002:7f00"),
    ("Teredo of loopback", "http://[2001:0:7f00:1::80ff:fffe]:{port}/", _PRIVATE, "2001:"),
    ("link-local with a zone", "http://[fe80::1%25eth0]:{port}/", _MALFORMED, ""),
    ("decimal number", "http://2130706433:{port}/", _MALFORMED, "127.0.0.1"),
    ("hexadecimal number", "http://0x7f000001:{port}/", _MALFORMED, "127.0.0.1"),
    ("octal parts", "http://0177.0.0.1:{port}/", _MALFORMED, "127.0.0.1"),
    ("hexadecimal parts", "http://0x7f.0.0.0x1:{port}/", _MALFORMED, "127.0.0.1"),
    ("two parts", "http://127.1:{port}/", _MALFORMED, "127.0.0.1"),
    ("address with a dot at its end", "http://127.0.0.1.:{port}/", _MALFORMED, "127.0.0.1"),
    ("percent signs", "http://%31%32%37.0.0.1:{port}/", _MALFORMED, ""),
    ("wide digits", "http://１２７.0.0.1:{port}/", _MALFORMED, ""),
    ("Chinese full stops", "http://127。0。0。1:{port}/", _MALFORMED, ""),
    ("user name and password", "http://me:secret@{host}:{port}/a.png", _MALFORMED, "user name"),
    ("host behind a user name", "http://{host}@127.0.0.1:{port}/", _MALFORMED, "user name"),
    ("backslash", "http://{host}\\@127.0.0.1:{port}/", _MALFORMED, "backslash"),
    ("control character", "http://{host}:{port}/a\x01b", _MALFORMED, "control character"),
    ("writing backwards", "http://{host}:{port}/gnp.\u202ea", _MALFORMED, "control character"),
    ("port 0", "http://{host}:0/", _MALFORMED, "port"),
    ("port 99999", "http://{host}:99999/", _MALFORMED, "port"),
    ("no host", "http:///a.png", _MALFORMED, "no host"),
    ("9000 characters", "http://{host}:{port}/" + "a" * 9000, _MALFORMED, "8192"),
    ("metadata service", "http://169.254.169.254/latest/meta-data/", _PRIVATE, "169.254"),
    ("metadata service by name", "http://metadata.google.internal/", _PRIVATE, "internal"),
    ("metadata service of Alibaba", "http://100.100.100.200/latest/", _PRIVATE, "100.100"),
    ("private network", "http://10.1.2.3/a.png", _PRIVATE, "10.1.2.3"),
    ("carrier's network", "http://100.64.0.1/a.png", _PRIVATE, "100.64"),
    ("multicast", "http://224.0.0.1/a.png", _PRIVATE, "224.0.0.1"),
    ("unique local IPv6", "http://[fd00:ec2::254]/", _PRIVATE, "fd00"),
    ("fake address as a number", "http://198.18.0.1/a.png", _PRIVATE, "198.18"),
    ("name without a dot", "http://intranet/", _PRIVATE, "intranet"),
    ("printer of the office", "http://printer.lan/", _PRIVATE, "printer.lan"),
]

# ---- names ----

_OUTSIDE = "127.0.0.2"
_BUSY = answer(b"", status="503 Busy")
_NAMES: list[tuple[str, list[list[str]], Sequence[Any], str, str]] = [
    ("leads to loopback", [["127.0.0.1"]], (), _PRIVATE, "127.0.0.1"),
    ("leads to a private network", [["192.168.1.1"]], (), _PRIVATE, "192.168"),
    ("leads to a mapped address", [["::ffff:127.0.0.1"]], (), _PRIVATE, "::ffff:7f00:1"),
    ("leads to one private address among public ones", [[_OUTSIDE, "127.0.0.1"]], (), _PRIVATE,
     "127.0.0.1"),
    ("leads elsewhere at the second attempt", [[_OUTSIDE], ["127.0.0.1"]], [_BUSY], _PRIVATE,
     "127.0.0.1"),
    ("leads elsewhere at the redirect", [[_OUTSIDE], ["127.0.0.1"]], [redirect("/b.png")], _PRIVATE,
     "127.0.0.1"),
    ("leads to a fake address where no TUN proxy is", [["198.18.0.5"]], (), _PRIVATE, "198.18"),
    ("leads nowhere", [[]], (), _CUT, "cannot be resolved"),
    ("is never resolved", [["hangs"]], (), _CUT, ""),
]  # fmt: skip

_PROXIED: list[tuple[str, str, Sequence[Any], str, str]] = [
    ("asked for loopback", "http://127.0.0.1:{port}/", (), _PRIVATE, "127.0.0.1"),
    ("asked for a private address", "http://10.1.2.3/", (), _PRIVATE, "10.1.2.3"),
    ("asked for a private name", "http://nas.local/", (), _PRIVATE, "nas.local"),
    ("that redirects to loopback", "http://pictures.example/",
     [redirect("http://127.0.0.1:{port}/")], _PRIVATE, "127.0.0.1"),
    ("that redirects to a private name", "http://pictures.example/",
     [redirect("http://metadata.google.internal/")], _PRIVATE, "internal"),
]  # fmt: skip

# ---- data URIs ----


def _uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


_DATA: list[tuple[str, str, str, str]] = [
    ("without Base64", "data:image/png,%89PNG", _NO_IMAGE, "?"),
    ("without a comma", "data:image/png;base64", _CUT, "no base64 image"),
    ("of a web page", "data:text/html;base64,PGh0bWw+", _NO_IMAGE, "HTML"),
    ("of a page called picture", _uri(b"<html>"), _NO_IMAGE, "HTML"),
    ("of damaged Base64", "data:image/png;base64,@@@@", _CUT, "damaged"),
    ("that goes on after its end", _uri(bytes(1)) + "AAAA", _CUT, "damaged"),
    ("of nothing", "data:image/png;base64,", _NO_IMAGE, ""),
    ("of too much", _uri(PNG + bytes(MAX_BYTES)), _TOO_LARGE, ""),
    ("of half a picture", _uri(PNG[:300]), _BROKEN, ""),
    ("in capitals, of a bomb", _uri(files.png(60_000, 60_000, b"")).replace("data", "DATA"),
     _BOMB, "60000"),
]  # fmt: skip


GALLERY: tuple[Case, ...] = (
    *(Case(f"file: {name}", key, words, [answer(data, "Content-Type: image/png")])
      for name, data, key, words in _FILES),
    *(Case(f"server: {name}", key, words, scripts) for name, scripts, key, words in _SERVERS),
    *(Case(f"redirect: {name}", key, words, [redirect(location)])
      for name, location, key, words in _REDIRECTS),
    *(Case(f"address: {name}", key, words, url=url) for name, url, key, words in _URLS),
    *(Case(f"name: {name}", key, words, scripts, names=names)
      for name, names, scripts, key, words in _NAMES),
    *(Case(f"proxy: {name}", key, words, scripts, url, proxied=True)
      for name, url, scripts, key, words in _PROXIED),
    *(Case(f"data URI: {name}", key, words, url=url) for name, url, key, words in _DATA),
)  # fmt: skip
