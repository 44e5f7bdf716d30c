"""What the transport lets into logs, and the event loops it runs on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api.network.transport import Transport
from support.paths import PACK_ROOT
from support.transport_calls import Serve, post, run, talkative

SERVICE = "http://service.example.com/v1/images/generations"


def through_socks(caller: Any) -> None:
    caller.socket.recv(64)
    caller.say(b"\x05\x02")
    caller.socket.recv(256)
    caller.say(b"\x01\x00")
    caller.socket.recv(256)
    caller.say(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    redirecting(caller)


def redirecting(caller: Any) -> None:
    while caller.request():
        location = "Location: https://b.example/x.png?X-Amz-Signature=hush-signature\r\n"
        caller.answer(b"{}", status="302 Found", more=f"{location}Set-Cookie: a=hush-cookie\r\n")


@pytest.mark.parametrize(("scheme", "talk"), [("socks5", through_socks), ("http", redirecting)])
def test_no_secret_reaches_a_log_at_any_level(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    scheme: str, talk: Callable[[Any], None],
) -> None:  # fmt: skip
    caplog.set_level(1)
    for name in ("ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"{scheme}://me:hush-password@127.0.0.1:{serve(talk).port}")

    async def every_way(client: Transport) -> None:
        url = f"{SERVICE}?token=hush-token"
        headers = {"Authorization": "Bearer hush-key"}
        assert (await post(client, url)).status == 302
        assert (await client.ask(url, headers=headers)).status == 302
        async with client.open(url, headers=headers, read_timeout_s=5.0) as answer:
            assert answer.status == 302

    run(every_way)
    assert "hush" not in caplog.text
    assert "aHVzaC1" not in caplog.text  # the password in base64


def test_log_of_other_users_of_httpcore_stays(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore.http11").debug("a neighbour")
    assert "a neighbour" in caplog.text


def test_failed_requests_log_no_secret(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)

    def refusing(caller: Any) -> None:
        caller.request()
        caller.answer(b"", status="407 No", more="X-Echo: hush-echo\r\n")

    proxy = serve(refusing)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush-password@127.0.0.1:{proxy.port}")
    with pytest.raises(Exception, match="407") as caught:
        run(lambda client: post(client, SERVICE.replace("http:", "https:")))
    assert "hush" not in caplog.text and "hush" not in str(caught.value)


# In a fresh interpreter: what the first request prepares is prepared once per process.
UNDER_ANYIO = """
import anyio, sys
sniffing = sys.argv[2]
if sniffing == "sniffio":
    import sniffio
    sniffio.current_async_library_cvar.set("asyncio")

async def first(url):
    from seedream_api.network.transport import Transport
    client = Transport()
    async def moment():
        pass
    paid = await client.post_once(
        url, body={}, headers={}, read_timeout_s=5, before_first_byte=moment
    )
    print((await client.ask(url)).status, paid.status)
    await client.close()

if sniffing == "sniffio":
    import asyncio
    asyncio.run(first(sys.argv[1]))
else:
    anyio.run(first, sys.argv[1])
"""


@pytest.mark.parametrize("sniffing", ["anyio", "sniffio"])
def test_requests_work_inside_anyio(serve: Serve, sniffing: str) -> None:
    if sniffing == "sniffio":
        pytest.importorskip("sniffio")
    ran = subprocess.run(
        [sys.executable, "-c", UNDER_ANYIO, serve(talkative).url(), sniffing],
        env={**os.environ, "PYTHONPATH": str(PACK_ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.stdout, ran.returncode) == ("200 200\n", 0), ran.stderr
