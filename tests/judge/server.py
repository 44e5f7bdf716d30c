"""A server of raw bytes: it says exactly what a case makes it say, and counts what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from . import pictures
from .wire import Wire

GENERATE = "/v1/images/generations"
TASKS = "/v1/images/Seedream/"


@dataclass
class Script:
    """What one case returns, and what it received.

    Args:
        post: the response to POST ``n``, from 1.
        poll: the response to poll ``n`` of all tasks together, from 0.
    """

    post: Callable[[int], Wire]
    poll: Callable[[int], Wire]
    posts: int = 0
    polled: list[str] = field(default_factory=list)

    def answer(self, method: str, target: str) -> Wire | bytes:
        """The response to one request; every POST counts, whatever its path."""
        if method == "POST":
            self.posts += 1
            return self.post(self.posts) if target == GENERATE else simple(404, b"")
        if target.startswith(TASKS):
            self.polled.append(unquote(target[len(TASKS) :]))
            return self.poll(len(self.polled) - 1)
        known = pictures.BY_PATH.get(target.partition("?")[0])
        return simple(404, b"gone") if known is None else simple(200, known)


def simple(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


class Server:
    """Listens on a loopback port; :attr:`script` is what it says now."""

    def __init__(self) -> None:
        self.script: Script
        self.base = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=200)
        port = self._server.sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer_one(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        for line in head.lower().split("\r\n"):
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.partition(":")[2]))
        said = self.script.answer(method, target)
        data, is_reset = (said.data, said.reset) if isinstance(said, Wire) else (said, False)
        writer.write(data)
        await writer.drain()
        if is_reset:
            # A reset discards what the client has not read yet: its turn comes first.
            for _ in range(4):
                await asyncio.sleep(0)
            place: socket.socket = writer.get_extra_info("socket")
            place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
