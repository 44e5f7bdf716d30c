"""What a request is made of: its body, headers, timeouts and address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._version import __version__

USER_AGENT = f"seedream-deepspace/{__version__} (+ComfyUI)"
CONNECT_TIMEOUT_S = 15.0


def encode_json(body: Any) -> bytes:
    """``body`` as JSON, value by value: in one call, 20 MB of pictures would let no other thread,
    and so no event loop, run for as long as that takes."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(encoder.iterencode(body)).encode()


def request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip", **headers}


def at_address(url: str, address: str) -> tuple[str, str, str]:
    """``url`` with its host replaced, the host for TLS, and the authority for the Host header."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    literal = f"[{address}]" if ":" in address else address
    netloc = literal if parts.port is None else f"{literal}:{parts.port}"
    authority = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc).geturl(), host, authority


def timeouts(read_s: float) -> dict[str, float]:
    connect = min(CONNECT_TIMEOUT_S, read_s)
    return {"connect": connect, "pool": connect, "write": max(60.0, connect), "read": read_s}
