"""Entries of results."""

from __future__ import annotations

import base64
from typing import Any

from seedream_api.service.result_items import (
    ItemReader,
)

BASE = "https://api.example.com"


URL = "https://cdn.example.com/a.png"


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


TEXT = base64.b64encode(PNG).decode()


READER = ItemReader(BASE)


def read(entry: Any, reader: ItemReader = READER) -> list[str | bytes | None]:
    """What one entry gives: its addresses, or else its bytes; ``None`` for what is unreadable."""
    return [item.url or item.data for item in reader.read_items([entry])]
