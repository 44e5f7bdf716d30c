"""TCP connections: made to whichever address of a host answers first, and kept alive."""

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
"""How long one address has before the next is tried beside it (RFC 8305)."""
_KEEP_ALIVE = {
    "TCP_KEEPIDLE": 30,
    "TCP_KEEPALIVE": 30,  # macOS
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
}
"""A peer that is gone (sleep, a lost NAT entry) is noticed within 90 s, not at the timeout."""
_Address = tuple[Any, ...]


class SocketStream(anyio.abc.ByteStream):
    """A connected socket. A failure to write leaves reading possible, unlike asyncio's streams."""

    def __init__(self, connected: socket.socket) -> None:
        self.sent = 0
        """Bytes that the operating system has taken, or may have taken, for sending."""
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
        """Whether bytes or the end wait to be read."""
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
    """Connect to the first address of ``host`` that answers.

    Raises:
        OSError: none does, or the name is not known.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(to_lookup_name(host), port, type=socket.SOCK_STREAM)
    waiting = [(info[0], info[4]) for info in _alternating(found)]
    dialling: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or dialling:
            if waiting:
                dialling.add(asyncio.ensure_future(_dial(*waiting.pop(0))))
            done, dialling = await asyncio.wait(
                dialling,
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
        await _give_up(dialling)
    raise OSError(errno.ECONNREFUSED, "All connection attempts failed") from errors[0]


def _alternating(found: list[Any]) -> list[Any]:
    """The addresses by turns of their family, the first family first."""
    first = [info for info in found if info[0] == found[0][0]]
    other = [info for info in found if info[0] != found[0][0]]
    turns = [info for pair in zip(first, other, strict=False) for info in pair]
    return turns + first[len(other) :] + other[len(first) :]


async def _dial(family: int, address: _Address) -> socket.socket:
    dialled = socket.socket(family, socket.SOCK_STREAM)
    try:
        dialled.setblocking(False)
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _keep_alive(dialled)
        await asyncio.get_running_loop().sock_connect(dialled, address)
    except BaseException:
        dialled.close()
        raise
    return dialled


def _keep_alive(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # a system may lack an option that Python knows
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEP_ALIVE.items():
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, option, seconds)


async def _give_up(dialling: set[asyncio.Task[socket.socket]]) -> None:
    for task in dialling:
        task.cancel()
    if dialling:
        await asyncio.wait(dialling)
    for task in dialling:
        if not task.cancelled() and task.exception() is None:
            task.result().close()
