"""A real HTTP proxy on loopback, and TLS in front of a server that speaks none."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T", bound="_Listener")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Listener:
    """Serve on a free port of this machine, on an event loop in another thread."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self: T) -> T:
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.talk((reader, writer))
        writer.close()

    async def talk(self, client: Streams) -> None:
        raise NotImplementedError


class LoopbackProxy(_Listener):
    """Makes tunnels, and hands requests for whole URLs on.

    Args:
        routes: by the name and port that a client asks for: a port on this machine.
        credentials: the ``user:password`` that it requires, if any.
    """

    def __init__(self, routes: Mapping[str, int], credentials: str = "") -> None:
        super().__init__()
        self.asked: list[str] = []
        """The request lines of those who were let in."""
        self.turned_away = 0
        self._routes = routes
        encoded = base64.b64encode(credentials.encode()).decode()
        self._wanted = f"proxy-authorization: basic {encoded}".lower() if credentials else ""

    async def talk(self, client: Streams) -> None:
        head = (await client[0].readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *headers = head.rstrip("\r\n").split("\r\n")
        if self._wanted and self._wanted not in [header.lower() for header in headers]:
            self.turned_away += 1
            client[1].write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        self.asked.append(line)
        method, target, version = line.split()
        if method == "CONNECT":
            onward = await self._open(target)
            client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            name, slash, path = target.removeprefix("http://").partition("/")
            onward = await self._open(name if ":" in name else f"{name}:80")
            kept = [one for one in headers if not one.lower().startswith(("proxy-", "connection"))]
            lines = [f"{method} {slash}{path} {version}", *kept, "Connection: close"]
            onward[1].write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await _joined(client, onward)

    async def _open(self, name: str) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._routes[name])


class TlsFront(_Listener):
    """Takes TLS off, and hands what is inside to a port of this machine."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        super().__init__(context)
        self._onward = port

    async def talk(self, client: Streams) -> None:
        await _joined(client, await asyncio.open_connection("127.0.0.1", self._onward))


async def _joined(one: Streams, other: Streams) -> None:
    """Bytes both ways, until both have ended."""
    await asyncio.gather(_carry(one[0], other[1]), _carry(other[0], one[1]))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
