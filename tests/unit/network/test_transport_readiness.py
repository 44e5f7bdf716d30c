"""What the first requests need is made ready once, and not on the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from seedream_api.errors import ConfigurationError
from seedream_api.network import transport
from seedream_api.network.proxies import load_certificates
from seedream_api.network.transport import Transport
from support.paths import PACK_ROOT
from support.transport_calls import Serve


def answering(caller: Any) -> None:
    while caller.request():
        caller.answer(b"{}")


async def ask_at_once(url: str, times: int) -> list[Any]:
    client = Transport()
    try:
        asked = (client.ask(url) for _ in range(times))
        return await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await client.close()


def test_certificates_are_read_once_for_parallel_callers(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[ssl.SSLContext] = []

    def counted(environ: Any) -> ssl.SSLContext:
        read.append(load_certificates(environ))
        return read[-1]

    monkeypatch.setattr("seedream_api.network.pools.load_certificates", counted)
    answers = asyncio.run(ask_at_once(serve(answering).url(), 6))
    assert [answer.status for answer in answers] == [200] * 6 and len(read) == 1


def test_bundle_that_could_not_be_read_is_tried_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(answering).url()

    async def broken_then_mended() -> Any:
        client = Transport()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SSL_CERT_FILE", "/no/such/bundle.pem")
                for _ in range(2):
                    with pytest.raises(ConfigurationError):
                        await client.ask(url)
            return await client.ask(url)
        finally:
            await client.close()

    assert asyncio.run(broken_then_mended()).status == 200


def test_body_of_a_paid_request_is_encoded_in_another_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures inside it make it 20 MB, which takes a quarter of a second on a slow machine."""
    threads: list[threading.Thread] = []
    encode = transport.encode_json

    def watched(body: Any) -> bytes:
        threads.append(threading.current_thread())
        return encode(body)

    monkeypatch.setattr(transport, "encode_json", watched)
    server = serve(answering)
    body = {
        "prompt": 'a "cat" 猫\n',
        "image": ["data:image/png;base64,AA==" * 99],
        "n": 1,
        "w": False,
    }

    async def post() -> None:
        async def moment() -> None:
            assert threads, "nothing is written down before the request can be made"

        client = Transport()
        await client.post_once(
            server.url(), body=body, headers={}, read_timeout_s=5, before_first_byte=moment
        )
        await client.close()

    asyncio.run(post())
    head, _, sent = server.read.partition(b"\r\n\r\n")
    assert json.loads(sent) == body and b"content-type: application/json" in head.lower()
    assert threads and threading.main_thread() not in threads


# In a fresh interpreter: here everything is imported already.
FIRST_REQUEST = """
import asyncio, sys, threading

class Watch:
    found = []
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.found.append(name)

async def first(url):
    from seedream_api.network.transport import Transport
    client = Transport()
    sys.meta_path.insert(0, Watch())
    async with client.open(url, headers={}, read_timeout_s=5, address="127.0.0.1") as answer:
        assert b"".join([chunk async for chunk in answer.chunks]) == b"{}"
    await client.ask(url)
    await client.close()

asyncio.run(first(sys.argv[1]))
ours = {name for name in Watch.found if name in sys.modules}
print(*sorted(name for name in ours if name.partition(".")[0] not in sys.stdlib_module_names))
"""


def test_first_request_imports_nothing_on_the_event_loop(serve: Serve) -> None:
    """ComfyUI's loop may be waiting for the same lock; an import takes a tenth of a second."""
    url = serve(answering).url()
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_REQUEST, url],
        env={**os.environ, "PYTHONPATH": str(PACK_ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == []


def test_lookup_of_a_host_searches_for_no_codec(tmp_path: Path) -> None:
    """Python 3.13.0 fails in that search where the working directory was removed."""
    program = f"""
import asyncio, os, sys
sys.path.insert(0, {str(PACK_ROOT)!r})
from seedream_api.network.sockets import connect
from seedream_api.network.url_guard import getaddrinfo
os.rmdir(os.getcwd())
try:
    asyncio.run(connect("127.0.0.1", 9))
except OSError:
    pass
getaddrinfo("localhost", 9)
print("encodings.idna" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
