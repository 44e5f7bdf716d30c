"""Calls of a transport that tests of the network share, and a server that responds to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from seedream_api.network.transport import HttpResponse, Transport

Serve = Callable[[Callable[[Any], None]], Any]
"""Starts a server that runs a function for each connection; see the fixture ``serve``."""


def run(steps: Callable[[Transport], Awaitable[Any]]) -> Any:
    """Run steps with a transport that is closed afterwards."""

    async def run_and_close() -> Any:
        client = Transport()
        try:
            return await steps(client)
        finally:
            await client.close()

    return asyncio.run(run_and_close())


async def post(client: Transport, url: str, seen: list[str] | None = None) -> HttpResponse:
    """Send a paid request; ``seen`` gets the moment before its first byte."""

    async def note_moment() -> None:
        if seen is not None:
            seen.append("moment")

    return await client.post_once(
        url,
        body={"prompt": "a cat"},
        headers={},
        read_timeout_s=10.0,
        before_first_byte=note_moment,
    )


def talkative(caller: Any) -> None:
    """Respond to every request on a connection, for as long as the client keeps it."""
    while caller.request():
        caller.answer(b'{"id": "task-1"}')
