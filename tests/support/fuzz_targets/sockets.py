"""HTTP over real sockets, and bodies of 100 MB."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
from pathlib import Path

from seedream_api.network import transport
from seedream_api.service import reading, responses, result_items

from .. import response_shapes
from ..byte_random import Dice
from ..input_mutations import as_bytes, mutated, mutated_bytes
from .checks import SECRET, ours

PATIENCE_S = 20.0
"""For a response on loopback; everything ends long before."""


# ---- HTTP over real sockets ----


class Wire:
    """A server on loopback that sends given bytes to every client and closes."""

    def __init__(self) -> None:
        self.said = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE_S)
                received = b""
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    received += piece
                connection.sendall(self.said)


_wires: list[Wire] = []


def wire_answers(dice: Dice, folder: Path) -> None:
    if not _wires:
        _wires.append(Wire())
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    head = dice.pick(response_shapes.HTTP_HEADS).format(length=len(body)).encode()
    _wires[0].said = mutated_bytes(head, dice) + body if dice.below(3) else head + body
    asyncio.run(_asked(_wires[0].url))


async def _asked(url: str) -> None:
    async def moment() -> None:
        pass

    asking = transport.Transport()
    try:
        with ours():
            _understood(await asking.ask(url, timeout_s=PATIENCE_S))
        with ours():
            await asking.post_once(
                url, body={}, headers={}, read_timeout_s=PATIENCE_S, before_first_byte=moment
            )
        with ours():
            async with asking.open(url, headers={}, read_timeout_s=PATIENCE_S) as answer:
                async for _ in answer.chunks:
                    pass
    finally:
        await asking.close()


# ---- sizes that a short run leaves out ----


def heavy_cases() -> list[tuple[str, bytes]]:
    """Bodies of 100 MB and what unpacks to more, as a server sends them."""
    packed = gzip.compress(b'{"data":"' + bytes(400 << 20), 1)
    bodies = {
        "a text of 100 MB": b'{"data":"' + b"a" * (100 << 20) + b'"}',
        "ten million results": b'{"data":[' + b'"",' * 10_000_000 + b'""]}',
        "fifty million brackets": b"[" * 50_000_000,
        "a number of 20 million digits": b'{"id":' + b"1" * 20_000_000 + b"}",
    }
    head = "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n"
    said = [(name, head.format(len(body), "").encode() + body) for name, body in bodies.items()]
    unpacks = head.format(len(packed), "Content-Encoding: gzip\r\n").encode() + packed
    return [*said, ("400 MB inside gzip", unpacks)]


def heavy(said: bytes) -> None:
    """Give one large response to every reader of responses."""
    if not _wires:
        _wires.append(Wire())
    _wires[0].said = said
    asyncio.run(_asked(_wires[0].url))
    body = said.partition(b"\r\n\r\n")[2]
    if not body.startswith(b"\x1f\x8b"):
        _understood(transport.HttpResponse(200, {}, body))


def _understood(answer: transport.HttpResponse) -> responses.ServiceResponse:
    return reading.parse_http_response(answer, result_items.ItemReader(), SECRET)
