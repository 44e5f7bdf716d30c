"""Answers before they are sent: plain JSON, byte ranges, and the three forms of a refusal.

The forms are those of the facts: new-api's own (``types/error.go``), Ark's as it passes through
a relay, and Evolink's with its integer code.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"
REQUEST_ID_HEADER = "X-Oneapi-Request-Id"

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Reply:
    """One answer: status, body, and its headers (lengths and dates are added on the wire)."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wait_s: float = 0.0
    """Seconds that the service takes before it sends this."""


def request_id() -> str:
    """A request id as new-api makes them: a time stamp, then something random."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return f"{stamp}{secrets.randbelow(10**9):09d}{secrets.token_hex(4)}"


def json_reply(
    body: Any, status: int = 200, *, headers: Mapping[str, str] | None = None, wait_s: float = 0.0
) -> Reply:
    """``body`` as JSON, under a request id of its own unless ``headers`` bring one."""
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Reply(status, data, headers={REQUEST_ID_HEADER: request_id(), **(headers or {})},
                 wait_s=wait_s)  # fmt: skip


class Refusal(Exception):
    """The service refuses; ``reply`` is its answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _refusal(status: int, error: dict[str, Any], known_as: str) -> Refusal:
    return Refusal(json_reply({"error": error}, status, headers={REQUEST_ID_HEADER: known_as}))


def relay_refusal(
    status: int, message: str, *, code: str | int = "", kind: str = "new_api_error"
) -> Refusal:
    """The relay's own form: ``{message, type, param, code}`` (new-api ``types/error.go``)."""
    known_as = request_id()
    told = f"{message} (request id: {known_as})"
    return _refusal(status, {"message": told, "type": kind, "param": "", "code": code}, known_as)


def ark_refusal(status: int, code: str, message: str) -> Refusal:
    """Ark's form as it comes through a relay: empty ``type`` and ``param``.

    Source: https://github.com/volcengine/volcengine-go-sdk/issues/144
    """
    known_as = request_id()
    told = f"{message} Request id: {known_as}"
    return _refusal(status, {"message": told, "type": "", "param": "", "code": code}, known_as)


def invalid_parameter(name: str, reason: str, *, code: str = "InvalidParameter") -> Refusal:
    """Ark's 400 about one body field."""
    told = f"The parameter `{name}` specified in the request is not valid: {reason}."
    return ark_refusal(400, code, told)


def evolink_refusal(status: int, message: str, kind: str) -> Refusal:
    """Evolink's form: the code is the HTTP status as an integer."""
    return _refusal(status, {"code": status, "message": message, "type": kind}, request_id())


def bytes_reply(data: bytes, content_type: str, asked: Mapping[str, str]) -> Reply:
    """A file: whole, or the one byte range that the lower-case headers ``asked`` for (RFC 9110).

    Several ranges, or a range of another version (``If-Range``), give the whole file.
    """
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(asked.get("range", "").replace(" ", ""))
    if not found or found.group(0) == "bytes=-" or asked.get("if-range", tag) != tag:
        return Reply(200, data, content_type, headers)
    first, last = _bounds(found.group(1), found.group(2), len(data))
    if first > last:
        return Reply(416, b"", content_type, {**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Reply(206, data[first : last + 1], content_type, headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte of a range; first > last when nothing of it is there."""
    if not first:
        return max(size - int(last), 0), (size - 1 if int(last) else -1)
    if last and int(last) < int(first):
        return 0, size - 1  # Not a valid range: ignored, as RFC 9110 says.
    return int(first), min(int(last), size - 1) if last else size - 1
