"""Servers that respond early or break off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from seedream_api.network.transport import HttpResponse, Transport

Talk = Callable[[Any], None]


class Moment:
    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._wait = wait

    async def __call__(self) -> None:
        self.count += 1
        await asyncio.to_thread(self._wait)


def post(
    url: str, megabytes: float = 0, moment: Moment | None = None, *, proxy: str = ""
) -> HttpResponse:
    async def run() -> HttpResponse:
        client = Transport(proxy)
        try:
            return await client.post_once(
                url,
                body={"image": "x" * int(megabytes * 1_000_000)},
                headers={},
                read_timeout_s=20.0,
                before_first_byte=moment or Moment(),
            )
        finally:
            await client.close()

    return asyncio.run(run())
