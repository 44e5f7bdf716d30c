"""From a document to the bytes of an HTTP response, whole or damaged in transit."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, cast

BASE, HOST, NUMBER = "@BASE@", "@HOST@", "@NUMBER@"
"""Placeholders: the server's address, its host and port, to which POST this responds."""
LIKE_BASE = "http://127.0.0.1:50000"
"""As long as the server's address: where a response is cut depends on its length."""


class Fidelity(Enum):
    """How much of a response arrives."""

    WHOLE = "whole"
    READABLE = "every byte of the body, in a broken frame"
    UNSURE = "perhaps all that counts: a reset may overtake it, or what is missing says nothing"
    PARTIAL = "a part of the body"
    HEADLESS = "a status line, and no complete head"
    NOTHING = "no whole status line of HTTP"


@dataclass(frozen=True)
class Raw:
    """A body that is not a JSON document."""

    data: bytes


@dataclass(frozen=True)
class Spec:
    """One response.

    Args:
        shell: what surrounds the JSON text, see ``SHELLS``.
        coding: content coding, announced or not, see ``CODINGS``.
        framing: how the end of the body is marked, see ``FRAMINGS``.
        cut: how many bytes are missing at the end; the connection closes there.
        reset: whether a cut ends in a reset instead of an orderly close.
    """

    status: int
    document: Any
    shell: str = "plain"
    coding: str = "plain"
    framing: str = "length"
    content_type: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0
    reset: bool = False

    @property
    def is_odd(self) -> bool:
        """Whether it is written in a form that no document shows and no reader has to know."""
        return self.coding in ODD_CODINGS or self.shell in ODD_SHELLS

    @property
    def is_clear(self) -> bool:
        """Whether JSON is all that the body holds."""
        return self.shell in CLEAR_SHELLS and not self.is_odd


@dataclass(frozen=True)
class Wire:
    data: bytes
    fidelity: Fidelity
    reset: bool


SHELLS = {
    "plain": ("", ""),
    "bom": ("\ufeff", ""),
    "blank lines": ("\r\n\r\n  ", "\r\n\r\n"),
    "control characters": ("", ""),
    "pings": (": PING\n\n: PING\n\n", "\n\n: PING\n\n"),
    "sse": ("data: ", "\n\n"),
    "sse with pings and done": (": PING\n\nevent: message\ndata: ", "\n\ndata: [DONE]\n\n"),
    "text before": ("OK, here it is:\n", ""),
    "text after": ("", "\n<!-- served by relay-7 -->"),
    "object before": ('{"ping": 1}\n', ""),
    "twice": ("", ""),
    "code fence": ("```json\n", "\n```\n"),
    "guard against inclusion": (")]}',\n", ""),
    "callback": ("callback(", ");"),
    "string": ("", ""),
}
CLEAR_SHELLS = ("plain", "bom", "blank lines", "control characters")
ODD_SHELLS = ("string",)
CODINGS = (
    "plain", "gzip", "gzip unannounced", "gzip announced only", "x-gzip", "utf-8 announced",
    "identity announced", "aws-chunked announced", "deflate", "utf-16", "gzip twice",
)  # fmt: skip
ODD_CODINGS = ("deflate", "utf-16", "gzip twice")
FRAMINGS = (
    "length", "chunked", "close", "http/1.0", "small chunks", "chunk extensions", "trailers",
    "no reason", "100 first", "103 first", "bytes after the end", "no last chunk", "length too big",
    "length too small", "lf only", "two lengths", "header without colon", "wrong protocol",
)  # fmt: skip
_READABLE_ONLY = ("lf only", "two lengths", "no last chunk", "length too big")


def render(spec: Spec, *, base: str, number: int = 1) -> Wire:
    """The bytes of ``spec`` as the response to POST ``number``."""
    text, slack = _text(spec, base, number)
    body = _encoded(text, spec.coding)
    head_text = _head(spec, len(body), base)
    data, last = _framed(spec.framing, body)
    whole = head_text + data
    kept = whole[: max(0, len(whole) - _missing(spec, base, number, len(whole)))]
    slack = 2 * slack if spec.coding == "utf-16" else slack
    slack += _TRAILERS if spec.coding in _COMPRESSED else 0
    fidelity = _fidelity(spec, len(kept), head_text, len(whole) - last, slack)
    return Wire(kept, fidelity, spec.reset)


def _missing(spec: Spec, base: str, number: int, size: int) -> int:
    """How many bytes are cut off: as many from every response as from the first."""
    if not spec.cut:
        return 0
    if number > 1:
        size = len(render(replace(spec, cut=0), base=base).data)
    return spec.cut % size


def _fidelity(spec: Spec, kept: int, head: bytes, body_end: int, slack: int) -> Fidelity:
    """How a response of which ``kept`` bytes arrive can be read.

    Args:
        body_end: where the last byte of the body itself has arrived.
        slack: how many bytes at the end of the body may be missing without a loss.
    """
    line_end = head.index(b"\n", head.index(b"Said" if b"Said" in head else b"%d" % spec.status))
    if kept <= line_end or spec.framing == "wrong protocol":
        return Fidelity.NOTHING
    if kept < len(head):
        return Fidelity.HEADLESS
    if spec.framing == "header without colon":
        # A reader may give up there or read on.
        return Fidelity.UNSURE if kept >= body_end - slack else Fidelity.HEADLESS
    if spec.framing == "length too small":
        # A reader may end at the announced length or read on.
        return Fidelity.PARTIAL if kept < body_end - slack else Fidelity.UNSURE
    if kept < body_end - slack:
        return Fidelity.PARTIAL
    if kept < body_end or (spec.cut and spec.reset):
        return Fidelity.UNSURE
    if spec.cut or spec.framing in _READABLE_ONLY:
        return Fidelity.READABLE
    return Fidelity.WHOLE


def _text(spec: Spec, base: str, number: int) -> tuple[bytes, int]:
    """The body before any coding, and how many bytes of it follow the JSON text."""
    if isinstance(spec.document, Raw):
        return spec.document.data, 0
    document = _filled(spec.document, base, number)
    if spec.shell == "control characters" and isinstance(document, dict):
        document = {"note": "@CONTROL@", **cast("dict[str, Any]", document)}
    text = json.dumps(document, ensure_ascii=len(spec.framing) % 2 == 0).replace(
        "@CONTROL@", "a\tb\nc\x01d"
    )
    before, after = SHELLS[spec.shell]
    if spec.shell == "twice":
        after = "\n" + text
    if spec.shell == "string":
        text = json.dumps(text)
    return (before + text + after).encode(), len(after.encode())


def _filled(value: Any, base: str, number: int) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _filled(one, base, number) for key, one in fields.items()}
    if isinstance(value, list):
        return [_filled(one, base, number) for one in cast("list[Any]", value)]
    if isinstance(value, str):
        host = base.partition("://")[2]
        # The first POST has the plain id: what is cut from the end depends on no counter.
        which = "" if number == 1 else f"-{number}"
        return value.replace(BASE, base).replace(HOST, host).replace(NUMBER, which)
    return value


_COMPRESSED = ("gzip", "gzip unannounced", "x-gzip", "deflate", "gzip twice")
_TRAILERS = 24
"""Check sums and the end of the last block: without them the text may still be whole."""


def _encoded(body: bytes, coding: str) -> bytes:
    if coding in ("gzip", "gzip unannounced", "x-gzip"):
        return gzip.compress(body, mtime=0)
    if coding == "gzip twice":
        return gzip.compress(gzip.compress(body, mtime=0), mtime=0)
    if coding == "utf-16":
        return body.decode("utf-8", "replace").encode("utf-16")
    return zlib.compress(body) if coding == "deflate" else body


_ANNOUNCED = {
    "gzip": "gzip", "gzip announced only": "gzip", "x-gzip": "x-gzip", "deflate": "deflate",
    "utf-8 announced": "utf-8", "identity announced": "identity",
    "aws-chunked announced": "aws-chunked", "gzip twice": "gzip, gzip",
}  # fmt: skip


def _head(spec: Spec, size: int, base: str) -> bytes:
    version = {"http/1.0": "HTTP/1.0", "wrong protocol": "ICY"}.get(spec.framing, "HTTP/1.1")
    reason = "" if spec.framing == "no reason" else " Said"
    lines = [f"{version} {spec.status}{reason}", "Server: judge", "Connection: close"]
    if spec.content_type is not None:
        lines.append(f"Content-Type: {spec.content_type}")
    if spec.coding in _ANNOUNCED:
        lines.append(f"Content-Encoding: {_ANNOUNCED[spec.coding]}")
    lines += [f"{name}: {value.replace(BASE, base)}" for name, value in spec.headers]
    lines += _length_lines(spec.framing, size)
    if spec.framing == "header without colon":
        lines.append("this line is not a header")
    end = "\n" if spec.framing == "lf only" else "\r\n"
    first = {"100 first": "HTTP/1.1 100 Continue\r\n\r\n",
             "103 first": "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"}  # fmt: skip
    head = first.get(spec.framing, "") + end.join([*lines, "", ""])
    return head.encode("latin-1")


_CHUNKED = ("chunked", "small chunks", "chunk extensions", "trailers", "no last chunk")


def _length_lines(framing: str, size: int) -> list[str]:
    if framing in _CHUNKED:
        return ["Transfer-Encoding: chunked"]
    if framing in ("close", "http/1.0"):
        return []
    declared = {"length too big": size + 7, "length too small": size // 2}.get(framing, size)
    return [f"Content-Length: {declared}"] * (2 if framing == "two lengths" else 1)


def _framed(framing: str, body: bytes) -> tuple[bytes, int]:
    """The body in its frame, and how many bytes follow the last one of the body itself."""
    if framing not in _CHUNKED:
        after = b"\r\n\r\nmore" if framing == "bytes after the end" else b""
        return body + after, len(after)
    size = 11 if framing == "small chunks" else max(1, len(body))
    extension = b";name=value" if framing == "chunk extensions" else b""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(one), extension, one) for one in pieces)
    trailer = b"X-Sum: 1\r\n" if framing == "trailers" else b""
    last = b"" if framing == "no last chunk" else b"0\r\n" + trailer + b"\r\n"
    return chunks + last, len(last) + (2 if pieces else 0)
