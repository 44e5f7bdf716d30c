"""Build the parts of a request: body, headers, timeouts and address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._version import __version__

USER_AGENT = f"seedream-deepspace/{__version__} (+ComfyUI)"
CONNECT_TIMEOUT_S = 15.0


def encode_json(body: Any) -> bytes:
    """Encode ``body`` as JSON in steps: one call for 20 MB would block all other threads."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(encoder.iterencode(body)).encode()


def build_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip", **headers}


def replace_host(url: str, address: str) -> tuple[str, str, str]:
    """Replace the host of ``url``; return the URL, the host for TLS, and the Host header."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    literal = f"[{address}]" if ":" in address else address
    netloc = literal if parts.port is None else f"{literal}:{parts.port}"
    authority = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc).geturl(), host, authority


def build_timeouts(read_s: float) -> dict[str, float]:
    connect = min(CONNECT_TIMEOUT_S, read_s)
    return {"connect": connect, "pool": connect, "write": max(60.0, connect), "read": read_s}
