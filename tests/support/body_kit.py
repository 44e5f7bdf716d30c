"""Bodies of responses."""

from __future__ import annotations

from typing import Any

from seedream_api.network.bodies import (
    read_body,
)


def read(body: bytes | str) -> list[Any]:
    return list(read_body(body.encode() if isinstance(body, str) else body).values)
