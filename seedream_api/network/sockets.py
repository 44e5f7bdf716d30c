"""TCP connections to the first address of a host that accepts one, with keep-alive."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.abc

from .hosts import to_lookup_name

_NEXT_ADDRESS_S = 0.25
"""How long to wait for one address before also trying the next (RFC 8305)."""
_KEEP_ALIVE = {
    "TCP_KEEPIDLE": 30,
    "TCP_KEEPALIVE": 30,  # macOS
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
}
"""Detects a lost peer (sleep, a lost NAT entry) within 90 s instead of at the timeout."""
_Address = tuple[Any, ...]


class SocketStream(anyio.abc.ByteStream):
    """A connected socket that can still be read after a failed write, unlike asyncio's streams."""

    def __init__(self, connected: socket.socket) -> None:
        self.sent: int = 0
        """Bytes that the operating system has accepted, or may have accepted, for sending."""
        self._socket = connected

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        if self._socket.fileno() < 0:
            raise anyio.ClosedResourceError
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, max_bytes)
        except OSError as error:
            raise anyio.BrokenResourceError(str(error)) from None
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        if self._socket.fileno() < 0:
            raise anyio.ClosedResourceError
        try:
            taken = 0
            with contextlib.suppress(BlockingIOError, InterruptedError):
                taken = self._socket.send(item)
                self.sent += taken
            if taken < len(item):
                self.sent += len(item) - taken
                await asyncio.get_running_loop().sock_sendall(self._socket, item[taken:])
        except OSError as error:
            raise anyio.BrokenResourceError(str(error)) from None

    async def send_eof(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        self._socket.close()

    def is_readable(self) -> bool:
        """Tell whether bytes or the end of the stream can be read."""
        if self._socket.fileno() < 0:
            return True
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self._socket], [], [], 0)[0])

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return {}


async def connect(host: str, port: int) -> socket.socket:
    """Connect to the first address of ``host`` that accepts a connection.

    Raises:
        OSError: none does, or the name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(to_lookup_name(host), port, type=socket.SOCK_STREAM)
    waiting = [(info[0], info[4]) for info in _alternate_families(found)]
    connecting: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or connecting:
            if waiting:
                connecting.add(asyncio.ensure_future(_connect_to(*waiting.pop(0))))
            done, connecting = await asyncio.wait(
                connecting,
                timeout=_NEXT_ADDRESS_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            connected = [task.result() for task in done if task.exception() is None]
            errors += [error for task in done if (error := task.exception()) is not None]
            for spare in connected[1:]:
                spare.close()
            if connected:
                return connected[0]
    finally:
        await _cancel_all(connecting)
    raise OSError(errno.ECONNREFUSED, "All connection attempts failed") from errors[0]


def _alternate_families(found: list[Any]) -> list[Any]:
    """Order the addresses with alternating families, the first family first."""
    first = [info for info in found if info[0] == found[0][0]]
    other = [info for info in found if info[0] != found[0][0]]
    pairs = [info for pair in zip(first, other, strict=False) for info in pair]
    return pairs + first[len(other) :] + other[len(first) :]


async def _connect_to(family: int, address: _Address) -> socket.socket:
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _enable_keep_alive(connected)
        await asyncio.get_running_loop().sock_connect(connected, address)
    except BaseException:
        connected.close()
        raise
    return connected


def _enable_keep_alive(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the system may lack an option that Python has
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEP_ALIVE.items():
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, option, seconds)


async def _cancel_all(connecting: set[asyncio.Task[socket.socket]]) -> None:
    for task in connecting:
        task.cancel()
    if connecting:
        await asyncio.wait(connecting)
    for task in connecting:
        if not task.cancelled() and task.exception() is None:
            task.result().close()
