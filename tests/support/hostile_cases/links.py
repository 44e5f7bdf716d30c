"""URLs, redirects, names and data URIs that must not be fetched."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from .. import crafted_images as files
from ..hostile_server import answer, redirect
from .case import (
    BOMB,
    BROKEN,
    CUT,
    MALFORMED,
    MAX_BYTES,
    NO_HTTP,
    NO_IMAGE,
    PNG,
    PRIVATE,
    TOO_LARGE,
)

REDIRECTS: list[tuple[str, str, str, str]] = [
    ("to loopback", "http://127.0.0.1:{port}/inside", PRIVATE, "127.0.0.1"),
    ("to loopback without a scheme", "//127.0.0.1:{port}/inside", PRIVATE, "127.0.0.1"),
    ("to the metadata service", "http://169.254.169.254/latest/meta-data/", PRIVATE, "169.254"),
    ("to a mapped address", "http://[::ffff:127.0.0.1]:{port}/", PRIVATE, "::ffff:7f00:1"),
    ("to a whole number", "http://2130706433:{port}/", MALFORMED, "127.0.0.1"),
    ("to a user name before loopback", "http://{host}@127.0.0.1:{port}/", MALFORMED, "user name"),
    ("to a backslash", "http://127.0.0.1:{port}\\@{host}/", MALFORMED, "backslash"),
    ("to a file", "file:///etc/passwd", MALFORMED, "http or https address"),
    ("to a script", "javascript:alert(1)", MALFORMED, "http or https address"),
    ("to a data URI", "data:image/png;base64,AAAA", MALFORMED, "http or https address"),
    ("to an endless address", "/" + "a" * 9000, MALFORMED, "8192"),
]
# ---- addresses ----


URLS: list[tuple[str, str, str, str]] = [
    ("file", "file:///etc/passwd", NO_HTTP, "/etc/passwd"),
    ("FTP", "ftp://{host}:{port}/a.png", NO_HTTP, ""),
    ("Gopher", "gopher://127.0.0.1:{port}/_GET", NO_HTTP, ""),
    ("script", "javascript:alert(1)", NO_HTTP, ""),
    ("no scheme", "{host}:{port}/a.png", NO_HTTP, ""),
    ("path", "/home/me/.ssh/id_rsa", NO_HTTP, ""),
    ("loopback", "http://127.0.0.1:{port}/", PRIVATE, "127.0.0.1"),
    ("another loopback", "http://127.1.2.3:{port}/", PRIVATE, "127.1.2.3"),
    ("localhost", "http://localhost:{port}/", PRIVATE, "localhost"),
    ("localhost in capitals, with a dot", "http://LOCALHOST.:{port}/", PRIVATE, "localhost"),
    ("a name below localhost", "http://app.localhost:{port}/", PRIVATE, "localhost"),
    ("localhost in circles", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/", PRIVATE, "localhost"),
    ("mapped loopback", "http://[::ffff:127.0.0.1]:{port}/", PRIVATE, "::ffff:7f00:1"),
    ("IPv6 loopback", "http://[::1]:{port}/", PRIVATE, "::1"),
    ("no address at all", "http://0.0.0.0:{port}/", PRIVATE, "0.0.0.0"),
    ("IPv6 of no address", "http://[::]:{port}/", PRIVATE, "::"),
    ("NAT64 of loopback", "http://[64:ff9b::7f00:1]:{port}/", PRIVATE, "64:ff9b"),
    ("6to4 of loopback", "http://[2002:7f00:1::]:{port}/", PRIVATE, "2002:7f00"),
    ("Teredo of loopback", "http://[2001:0:7f00:1::80ff:fffe]:{port}/", PRIVATE, "2001:"),
    ("link-local with a zone", "http://[fe80::1%25eth0]:{port}/", MALFORMED, ""),
    ("decimal number", "http://2130706433:{port}/", MALFORMED, "127.0.0.1"),
    ("hexadecimal number", "http://0x7f000001:{port}/", MALFORMED, "127.0.0.1"),
    ("octal parts", "http://0177.0.0.1:{port}/", MALFORMED, "127.0.0.1"),
    ("hexadecimal parts", "http://0x7f.0.0.0x1:{port}/", MALFORMED, "127.0.0.1"),
    ("two parts", "http://127.1:{port}/", MALFORMED, "127.0.0.1"),
    ("address with a dot at its end", "http://127.0.0.1.:{port}/", MALFORMED, "127.0.0.1"),
    ("percent signs", "http://%31%32%37.0.0.1:{port}/", MALFORMED, ""),
    ("wide digits", "http://１２７.0.0.1:{port}/", MALFORMED, ""),
    ("Chinese full stops", "http://127。0。0。1:{port}/", MALFORMED, ""),
    ("user name and password", "http://me:secret@{host}:{port}/a.png", MALFORMED, "user name"),
    ("host behind a user name", "http://{host}@127.0.0.1:{port}/", MALFORMED, "user name"),
    ("backslash", "http://{host}\\@127.0.0.1:{port}/", MALFORMED, "backslash"),
    ("control character", "http://{host}:{port}/a\x01b", MALFORMED, "control character"),
    ("writing backwards", "http://{host}:{port}/gnp.\u202ea", MALFORMED, "control character"),
    ("port 0", "http://{host}:0/", MALFORMED, "port"),
    ("port 99999", "http://{host}:99999/", MALFORMED, "port"),
    ("no host", "http:///a.png", MALFORMED, "no host"),
    ("9000 characters", "http://{host}:{port}/" + "a" * 9000, MALFORMED, "8192"),
    ("metadata service", "http://169.254.169.254/latest/meta-data/", PRIVATE, "169.254"),
    ("metadata service by name", "http://metadata.google.internal/", PRIVATE, "internal"),
    ("metadata service of Alibaba", "http://100.100.100.200/latest/", PRIVATE, "100.100"),
    ("private network", "http://10.1.2.3/a.png", PRIVATE, "10.1.2.3"),
    ("carrier's network", "http://100.64.0.1/a.png", PRIVATE, "100.64"),
    ("multicast", "http://224.0.0.1/a.png", PRIVATE, "224.0.0.1"),
    ("unique local IPv6", "http://[fd00:ec2::254]/", PRIVATE, "fd00"),
    ("fake address as a number", "http://198.18.0.1/a.png", PRIVATE, "198.18"),
    ("name without a dot", "http://intranet/", PRIVATE, "intranet"),
    ("printer of the office", "http://printer.lan/", PRIVATE, "printer.lan"),
]
# ---- names ----


_OUTSIDE = "127.0.0.2"
_BUSY = answer(b"", status="503 Busy")
NAMES: list[tuple[str, list[list[str]], Sequence[Any], str, str]] = [
    ("leads to loopback", [["127.0.0.1"]], (), PRIVATE, "127.0.0.1"),
    ("leads to a private network", [["192.168.1.1"]], (), PRIVATE, "192.168"),
    ("leads to a mapped address", [["::ffff:127.0.0.1"]], (), PRIVATE, "::ffff:7f00:1"),
    ("leads to one private address among public ones", [[_OUTSIDE, "127.0.0.1"]], (), PRIVATE,
     "127.0.0.1"),
    ("leads elsewhere at the second attempt", [[_OUTSIDE], ["127.0.0.1"]], [_BUSY], PRIVATE,
     "127.0.0.1"),
    ("leads elsewhere at the redirect", [[_OUTSIDE], ["127.0.0.1"]], [redirect("/b.png")], PRIVATE,
     "127.0.0.1"),
    ("leads to a fake address where no TUN proxy is", [["198.18.0.5"]], (), PRIVATE, "198.18"),
    ("leads nowhere", [[]], (), CUT, "cannot be resolved"),
    ("is never resolved", [["hangs"]], (), CUT, ""),
]  # fmt: skip
PROXIED: list[tuple[str, str, Sequence[Any], str, str]] = [
    ("asked for loopback", "http://127.0.0.1:{port}/", (), PRIVATE, "127.0.0.1"),
    ("asked for a private address", "http://10.1.2.3/", (), PRIVATE, "10.1.2.3"),
    ("asked for a private name", "http://nas.local/", (), PRIVATE, "nas.local"),
    ("that redirects to loopback", "http://pictures.example/",
     [redirect("http://127.0.0.1:{port}/")], PRIVATE, "127.0.0.1"),
    ("that redirects to a private name", "http://pictures.example/",
     [redirect("http://metadata.google.internal/")], PRIVATE, "internal"),
]  # fmt: skip


# ---- data URIs ----


def _uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


DATA: list[tuple[str, str, str, str]] = [
    ("without Base64", "data:image/png,%89PNG", NO_IMAGE, "?"),
    ("without a comma", "data:image/png;base64", CUT, "no base64 image"),
    ("of a web page", "data:text/html;base64,PGh0bWw+", NO_IMAGE, "HTML"),
    ("of a page called picture", _uri(b"<html>"), NO_IMAGE, "HTML"),
    ("of damaged Base64", "data:image/png;base64,@@@@", CUT, "damaged"),
    ("that goes on after its end", _uri(bytes(1)) + "AAAA", CUT, "damaged"),
    ("of nothing", "data:image/png;base64,", NO_IMAGE, ""),
    ("of too much", _uri(PNG + bytes(MAX_BYTES)), TOO_LARGE, ""),
    ("of half a picture", _uri(PNG[:300]), BROKEN, ""),
    ("in capitals, of a bomb", _uri(files.png(60_000, 60_000, b"")).replace("data", "DATA"),
     BOMB, "60000"),
]  # fmt: skip
