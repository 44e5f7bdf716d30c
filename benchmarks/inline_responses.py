"""How long the loop stands still while a response with images inside is received and read.

    python benchmarks/inline_responses.py

A server of its own process answers a paid request with 1 to 80 MB of base64. The whole way through
the client is measured, beside reading the same bytes in one piece on the loop (``json.loads`` and
``base64.b64decode``), which is the floor for the time and the worst for the loop. Exit code 1 where
the loop stands still for 50 ms or more, or for more than half of what one piece takes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from measuring import MIB, in_its_own_process, measured, tell

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

SIZES = (1, 20, 80)
MOST_STALL_S, MOST_SHARE = 0.05, 0.5


def response(megabytes: int) -> bytes:
    """JSON of about so many megabytes, in images of at most 8 MB as the service makes them."""
    left, images = megabytes * MIB * 3 // 4, list[dict[str, str]]()
    while left > 0:
        raw = b"\x89PNG\r\n\x1a\n" + os.urandom(min(left, 8 * MIB) // 3 * 3 - 8)
        images.append({"b64_json": base64.b64encode(raw).decode()})
        left -= 8 * MIB
    return json.dumps({"created": 1, "data": images}).encode()


async def serve(body: bytes) -> tuple[asyncio.Server, str]:
    """Answer every request with ``body``."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def serve_apart(megabytes: int, pipe: int) -> None:
    """Serve in this process, which tells its address through the pipe."""

    async def forever() -> None:
        server, address = await serve(response(megabytes))
        os.write(pipe, address.encode() + b"\n")
        await server.serve_forever()

    asyncio.run(forever())


async def through_client(megabytes: int) -> None:
    """Receive and read with the client."""
    from seedream_api.config.settings import load_settings
    from seedream_api.service.client import SeedreamClient
    from seedream_api.service.request import Request

    inner, outer = os.pipe()
    child = os.fork()
    if child == 0:
        serve_apart(megabytes, outer)
    address = os.read(inner, 100).decode().strip()
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            DEEPSPACE_BASE_URL=address, DEEPSPACE_API_KEY="sk-benchmark-0000", SEEDREAM_HOME=home
        )
        request = Request(model="Seedream-5.0-Lite-Preferential", prompt="a cat")
        async with SeedreamClient(load_settings()) as client:
            found = await measured(lambda: client.submit(request), needs=8 * megabytes * MIB)
    os.kill(child, 9)
    tell(found)


async def in_one_piece(megabytes: int) -> None:
    body = response(megabytes)

    async def read() -> list[bytes]:
        return [base64.b64decode(each["b64_json"]) for each in json.loads(body)["data"]]

    tell(await measured(read, needs=8 * megabytes * MIB))


def main() -> int:
    is_good = True
    print("response   client      longest stall   in one piece   share")
    for size in SIZES:
        ours, piece = (
            in_its_own_process(Path(__file__), way, str(size)) for way in ("client", "piece")
        )
        share = ours.stall_s / piece.stall_s
        is_bounded = ours.stall_s < MOST_STALL_S and (size == 1 or share < MOST_SHARE)
        is_good = is_good and is_bounded
        print(
            f"{size:5} MB  {ours.seconds:7.2f} s  {ours.stall_s * 1000:10.0f} ms  "
            f"{piece.stall_s * 1000:11.0f} ms  {share:6.2f}{'' if is_bounded else '  TOO LONG'}"
        )
    return 0 if is_good else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        way = through_client if sys.argv[1] == "client" else in_one_piece
        asyncio.run(way(int(sys.argv[2])))
        sys.exit(0)
    begun = time.perf_counter()
    code = main()
    print(f"{time.perf_counter() - begun:.0f} s")
    sys.exit(code)
