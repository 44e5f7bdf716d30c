"""``SEEDREAM_PROXY``: everything that leaves this machine goes through that proxy, a real one."""

from __future__ import annotations

import io
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from PIL import Image

from seedream_api import NotSent, Request, UnsafeURL, generate
from seedream_api.jobs.load_urls import load_urls
from support.fake_service import Json
from support.hostile_server import Server, answer, redirect
from support.loopback_proxy import LoopbackProxy, TlsFront

SERVICE, PICTURES = "api.example.com", "pictures.example.com"
MODEL = "Seedream-4.5-Preferential"
PASSWORD = "hush%40hush"
DEAD = "http://127.0.0.1:9"


@dataclass
class Abroad:
    """The client's sandbox as a service at another place, with a proxy on the way there."""

    api_client: Any
    proxy: LoopbackProxy

    def settings(self, password: str = PASSWORD) -> dict[str, str]:
        proxy = f"http://someone:{password}@127.0.0.1:{self.proxy.port}"
        return {"DEEPSPACE_BASE_URL": f"https://{SERVICE}", "SEEDREAM_PROXY": proxy}

    def generate(self, prompt: str, **settings: str) -> Any:
        request = Request(model=MODEL, prompt=prompt)
        return self.api_client.run(lambda session: generate(request, session), **settings)


@pytest.fixture
def abroad(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Abroad]:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(SERVICE).configure_cert(serving)
    authority.configure_trust(trusting)
    monkeypatch.setattr("seedream_api.network.pools.load_certificates", lambda environ: trusting)
    # What the environment names is not there: who asks it, fails.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, DEAD)
    monkeypatch.delenv("no_proxy", raising=False)
    with TlsFront(serving, api_client.sandbox.port) as front:
        routes = {f"{SERVICE}:443": front.port, f"{PICTURES}:80": api_client.sandbox.port}
        with LoopbackProxy(routes, "someone:hush@hush") as proxy:
            yield Abroad(api_client, proxy)


def test_chosen_proxy_carries_paid_request_and_images(abroad: Abroad) -> None:
    api_client = abroad.api_client
    image = urlsplit(api_client.generate(model=MODEL).images[0].url).path
    url = f"http://{PICTURES}{image}"
    api_client.sandbox.faults.push("generate", Json({"data": [{"url": url}]}))
    result = abroad.generate("far away", **abroad.settings())
    assert [one.url for one in result.images] == [url] and result.images[0].path.is_file()
    # No name is looked up here: a test that did would fail.
    assert abroad.proxy.asked == [f"CONNECT {SERVICE}:443 HTTP/1.1", f"GET {url} HTTP/1.1"]
    assert api_client.sent == 2 and abroad.proxy.turned_away == 0


def test_rejecting_proxy_costs_nothing_and_hides_password(
    abroad: Abroad, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(NotSent) as caught:
        abroad.generate("turned away", **abroad.settings("wrong-word"))
    assert "407" in str(caught.value) and not caught.value.may_have_been_charged
    assert abroad.api_client.sent == 0 and abroad.proxy.turned_away > 0
    assert "wrong-word" not in str(caught.value) + caplog.text
    record = (abroad.api_client.home / "ledger.sqlite").read_bytes()
    assert b"wrong-word" not in record


def test_no_proxy_hosts_and_loopback_are_direct(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client's own address is on loopback.
    assert len(abroad.api_client.generate(model=MODEL, SEEDREAM_PROXY=DEAD).images) == 1
    monkeypatch.setenv("no_proxy", SERVICE)
    with pytest.raises(Exception, match=SERVICE) as caught:
        abroad.generate("directly", **abroad.settings())
    assert type(caught.value).__name__ == "OutsideNetwork", "its name was to be looked up here"
    assert abroad.proxy.asked == []


def test_chosen_proxy_resolves_names_but_private_is_refused(
    api_client: Any, tmp_path: Path
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(file, "PNG")
    elsewhere = ("http://localhost:1/", "http://a.internal/")
    scripts = [[answer(file.getvalue())], *([redirect(place)] for place in elsewhere)]
    urls = [f"http://{PICTURES}/{name}.png" for name in "abc"]

    async def load(session: Any) -> list[Any]:
        return [(await load_urls([url], session, tmp_path))[0] for url in urls]

    with Server(scripts) as proxy:
        first, *others = api_client.run(load, SEEDREAM_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert first.path is not None and first.error is None
    assert [type(one.error) for one in others] == [UnsafeURL, UnsafeURL]
    lines = [request.split("\r\n")[0] for request in proxy.requests]
    assert lines == [f"GET {url} HTTP/1.1" for url in urls]
