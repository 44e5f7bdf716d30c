"""Requests as received, replies before they are sent, and the three forms of an error.

The forms are new-api's own (``types/error.go``), Ark's as it passes through a relay, and Evolink's
with its integer code.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"
REQUEST_ID_HEADER = "X-Oneapi-Request-Id"


@dataclass
class HttpRequest:
    """One request whose body was read to the end."""

    method: str
    path: str
    """The path with its query, as sent."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    """Empty if it exceeded the limit."""
    json: Any | None
    """The parsed body; None if it is not JSON."""
    too_long: bool = False


@dataclass(frozen=True)
class Reply:
    """One response: status, body and headers (the connection adds length and date)."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wait_s: float = 0.0
    """Seconds that the service takes before it sends this."""


class Refusal(Exception):
    """The service rejects the request with ``reply``."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def parse_json(body: bytes) -> Any | None:
    """Return ``body`` as JSON, or None."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def new_request_id() -> str:
    """Create a request ID as new-api does: a timestamp and random characters."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return f"{stamp}{secrets.randbelow(10**9):09d}{secrets.token_hex(4)}"


def json_reply(
    body: Any, status: int = 200, *, headers: Mapping[str, str] | None = None, wait_s: float = 0.0
) -> Reply:
    """Build a JSON reply, with a new request ID unless ``headers`` contain one."""
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    all_headers = {REQUEST_ID_HEADER: new_request_id(), **(headers or {})}
    return Reply(status, data, headers=all_headers, wait_s=wait_s)


def _refusal(status: int, error: dict[str, Any], request_id: str) -> Refusal:
    return Refusal(json_reply({"error": error}, status, headers={REQUEST_ID_HEADER: request_id}))


def relay_refusal(
    status: int, message: str, *, code: str | int = "", kind: str = "new_api_error"
) -> Refusal:
    """Build an error in the relay's form, ``{message, type, param, code}`` (``types/error.go``)."""
    request_id = new_request_id()
    text = f"{message} (request id: {request_id})"
    return _refusal(status, {"message": text, "type": kind, "param": "", "code": code}, request_id)


def ark_refusal(status: int, code: str, message: str) -> Refusal:
    """Build an error in Ark's form as it passes through a relay: empty ``type`` and ``param``.

    Source: https://github.com/volcengine/volcengine-go-sdk/issues/144
    """
    request_id = new_request_id()
    text = f"{message} Request id: {request_id}"
    return _refusal(status, {"message": text, "type": "", "param": "", "code": code}, request_id)


def invalid_parameter(name: str, reason: str, *, code: str = "InvalidParameter") -> Refusal:
    """Build Ark's 400 about one body field."""
    text = f"The parameter `{name}` specified in the request is not valid: {reason}."
    return ark_refusal(400, code, text)


def evolink_refusal(status: int, message: str, kind: str) -> Refusal:
    """Build an error in Evolink's form: the code is the HTTP status as an integer."""
    return _refusal(status, {"code": status, "message": message, "type": kind}, new_request_id())


def too_large(limit: int) -> Refusal:
    """Build new-api's 413 for a body over ``limit`` bytes."""
    message = f"request body too large: over {limit} bytes"
    return relay_refusal(413, message, code="read_request_body_failed")


def not_found() -> Refusal:
    """Build the 404 of an image that does not exist."""
    return relay_refusal(404, "Image not found", kind="not_found_error")
