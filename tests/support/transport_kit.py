"""Servers that speak exact bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from seedream_api.network.transport import HttpResponse, Transport

BODY = {"model": "Seedream-4.5", "prompt": "一只猫"}


KEY = {"Authorization": "Bearer sk-secret-1234567890"}


class Moment:
    """Counts how often the first byte was about to leave; may refuse it."""

    def __init__(self, refuse: Exception | None = None) -> None:
        self.count = 0
        self.refuse = refuse
        self.seen: Callable[[], bytes] = bytes
        self.before = b""

    async def __call__(self) -> None:
        self.count += 1
        await asyncio.sleep(0)
        self.before = self.seen()
        if self.refuse is not None:
            raise self.refuse


def post(
    url: str, moment: Moment | None = None, *, read_timeout_s: float = 10.0, body: Any = BODY
) -> HttpResponse:
    async def run() -> HttpResponse:
        client = Transport()
        try:
            return await client.post_once(
                url,
                body=body,
                headers=KEY,
                read_timeout_s=read_timeout_s,
                before_first_byte=moment or Moment(),
            )
        finally:
            await client.close()

    return asyncio.run(run())
