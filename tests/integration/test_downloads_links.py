"""Statuses, redirects, names and proxies of downloads."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api.downloads.downloader import LinkExpired
from seedream_api.errors import (
    ReadFailed,
    UnsafeURL,
)
from seedream_api.network.transport import Transport
from seedream_api.network.url_guard import FetchPolicy
from support.download_kit import (
    PNG,
    PUBLIC_ONLY,
    TAG,
    Fetcher,
    Names,
)
from support.hostile_server import RESET, Server, answer, redirect

# ---- status ----


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_expired_link_is_recognized_and_not_retried(
    fetch: Fetcher, serve: Callable[..., Server], status: int
) -> None:
    server = serve(answer(PNG, status=f"{status} No"))
    error = fetch.refused(server.url + "?X-Signature=secret")
    assert isinstance(error, LinkExpired) and error.values["http"] == status
    assert len(server.requests) == 1 and "secret" not in str(error)


@pytest.mark.parametrize("status", [204, 205, 300, 304, 400, 402, 405, 416, 418, 451])
def test_other_refusals_are_final(
    fetch: Fetcher, serve: Callable[..., Server], status: int
) -> None:
    server = serve(answer(b"", status=f"{status} No"))
    assert f"HTTP {status}" in str(fetch.refused(server.url).values["reason"])
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
def test_passing_failures_are_tried_again(
    fetch: Fetcher, serve: Callable[..., Server], status: int
) -> None:
    server = serve(answer(b"busy", status=f"{status} Busy"), answer(PNG))
    assert fetch(server.url).bytes == len(PNG)


def test_429_delays_all_downloads_by_retry_after(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    monkeypatch.setattr(fetch.gate, "pause_for", held.append)
    busy = answer(b"", "Retry-After: 7", status="429 Too Many")
    server = serve(busy, answer(b"", "Retry-After: 3", status="503 Busy"), answer(PNG))
    fetch(server.url)
    assert 7 <= fetch.time.pauses[0] <= 8 and 3 <= fetch.time.pauses[1] <= 4
    assert held == fetch.time.pauses[:1]


def test_long_retry_after_ends_the_download_at_once(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(b"", "Retry-After: 200", status="429 Too Many"))
    assert fetch.refused(server.url).values["reason"] == "HTTP 429"
    assert fetch.time.pauses == []


YOUNG_S = 20.0


@pytest.mark.parametrize(
    "early",
    [
        *(answer(b"<Error/>", status=f"{code} No") for code in (400, 401, 403, 404, 409, 416, 423)),
        answer(b"<html><title>Please wait</title>"),
        answer(b'{"status": "pending"}', "Content-Type: image/png", TAG),
        answer(b"soon", "Content-Type: text/plain"),
        answer(b""),
        answer(b"", status="204 No Content"),
        answer(PNG[:200]),
        answer(b"", status="302 Found"),
        redirect("/a.png"),
    ],
)
def test_young_link_gets_patience_whatever_is_sent_first(
    fetch: Fetcher, serve: Callable[..., Server], early: bytes
) -> None:
    server = serve(*[early] * 6, answer(PNG, TAG))
    if b"Location: /a.png" in early:
        server.scripts = [[early]] * 12 + [[answer(PNG)]]
    assert fetch(server.url, settle_s=YOUNG_S).bytes == len(PNG)
    assert fetch.time.now < YOUNG_S


@pytest.mark.parametrize("status", [410, 451])
def test_young_link_that_is_gone_for_good_gets_no_patience(
    fetch: Fetcher, serve: Callable[..., Server], status: int
) -> None:
    server = serve(answer(b"", status=f"{status} Gone"))
    fetch.refused(server.url, settle_s=YOUNG_S)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fault", [answer(b"", status="400 No"), answer(b"<html>"), answer(b""), redirect("/a.png")]
)
def test_young_link_that_never_serves_ends_soon(
    fetch: Fetcher, serve: Callable[..., Server], fault: bytes
) -> None:
    fetch.refused(serve(fault).url, settle_s=YOUNG_S)
    assert fetch.time.now < YOUNG_S


# ---- redirects ----


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(fetch: Fetcher, serve: Callable[..., Server], status: int) -> None:
    server = serve(
        *[redirect(f"/b/{n} c.png?s=1#x", f"{status} Moved") for n in range(5)], answer(PNG)
    )
    download = fetch(server.url)
    assert download.final_url == f"http://127.0.0.1:{server.port}/b/4%20c.png?s=1"
    assert "?s=1" not in repr(download)


def test_sixth_redirect_is_one_too_many(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    server = serve(redirect("/again"))
    assert "redirects" in str(fetch.refused(server.url).values["reason"])
    assert len(server.requests) == 6


def test_redirect_to_nowhere_is_final(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    server = serve(answer(b"", status="302 Found"))
    assert "Location" in str(fetch.refused(server.url).values["reason"])


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/inside", "http://localhost:{port}/", "http://[::1]:{port}/",
        "//127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]/", "http://2130706433:{port}/",
        "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./",
        "http://metadata.google.internal/", "http://192.168.0.1/", "http://100.100.100.200/",
        "http://pictures.example@127.0.0.1/", "http://127.0.0.1\\@pictures.example/",
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "data:image/png;base64,AA",
        "javascript:alert(1)", "http://[::1", "http://pictures.example:99999/",
        "http://inside.example/",
    ],
)  # fmt: skip
def test_redirect_to_a_private_place_is_refused(
    fetch: Fetcher, serve: Callable[..., Server], location: str
) -> None:
    inside = serve(answer(PNG))
    server = serve(redirect(location.format(port=inside.port)))
    policy = FetchPolicy(frozenset({f"pictures.example:{server.port}"}))
    url = f"http://pictures.example:{server.port}/a.png"
    error = fetch.refused(url, policy, resolver=Names(["127.0.0.1"]))
    assert isinstance(error, UnsafeURL)
    assert inside.requests == [] and len(server.requests) == 1


# ---- names and proxies ----


def test_connection_goes_to_the_checked_address_with_one_lookup(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(PNG))
    names = Names(["127.0.0.1"], ["203.0.113.9"])
    fetch(f"http://pictures.example:{server.port}/a.png", resolver=names)
    assert names.asked == ["pictures.example"]
    assert server.header(0, "host") == f"pictures.example:{server.port}"


def test_tls_keeps_the_name(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    server = serve([RESET])
    fetch.refused(f"https://pictures.example:{server.port}/a", resolver=Names(["127.0.0.1"]))
    assert "pictures.example" in server.requests[0], "in the SNI of the ClientHello"


def test_one_private_address_among_public_ones_reaches_nothing(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    inside = serve(answer(PNG))
    names = Names(["1.1.1.1", "127.0.0.1"])
    error = fetch.refused(f"http://x.example:{inside.port}/", PUBLIC_ONLY, resolver=names)
    assert isinstance(error, UnsafeURL) and error.values["address"] == "127.0.0.1"
    assert inside.requests == []


def test_lookup_is_checked_again_at_each_attempt(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer(b"", status="503 Busy"), answer(PNG))
    monkeypatch.setattr(
        "seedream_api.network.url_guard.is_public", lambda address: address.is_loopback
    )
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    error = fetch.refused(f"http://x.example:{server.port}/", PUBLIC_ONLY, resolver=names)
    assert isinstance(error, UnsafeURL) and error.values["address"] == "10.0.0.1"
    assert len(server.requests) == 1


def test_unknown_name_is_given_up_sooner(fetch: Fetcher) -> None:
    error = fetch.refused("https://nowhere.example/a.png", PUBLIC_ONLY)
    assert "cannot be resolved" in str(error.values["reason"])
    assert fetch.time.now <= 20


def test_proxy_gets_name_and_private_redirects_are_refused(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answer(PNG), redirect("http://localhost:1/"), redirect("http://a.internal/"))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    names = Names()
    fetch("http://pictures.example/a.png", PUBLIC_ONLY, resolver=names)
    assert proxy.requests[0].startswith("GET http://pictures.example/a.png HTTP/1.1")
    for _ in range(2):
        error = fetch.refused("http://pictures.example/a.png", PUBLIC_ONLY, resolver=names)
        assert isinstance(error, UnsafeURL)
    assert names.asked == [] and len(proxy.requests) == 3


@pytest.mark.parametrize(
    ("service_host", "service_answer", "passes"),
    [
        ("api.example", "198.18.0.9", True),
        ("api.example", "1.1.1.1", False),
        ("api.example", "", False),
        (None, "198.18.0.9", False),
    ],
)
def test_fake_addresses_pass_when_the_service_has_one_too(
    fetch: Fetcher, service_host: str | None, service_answer: str, passes: bool
) -> None:
    asked: list[str] = []
    connected: list[str | None] = []

    def names(host: str, port: int) -> list[str]:
        asked.append(host)
        if host == "api.example" and not service_answer:
            raise OSError("no such name")
        return [service_answer if host == "api.example" else "198.18.0.5"]

    class Unconnected(Transport):
        def open(self, url: str, *, address: str | None = None, **_: Any) -> Any:
            connected.append(address)
            raise ReadFailed("read_failed", reason="no network here")

    error = fetch.refused(
        "http://pictures.example/a",
        PUBLIC_ONLY,
        resolver=names,
        service_host=service_host,
        make_transport=Unconnected,
    )
    assert isinstance(error, UnsafeURL) is not passes
    assert set(connected) == ({"198.18.0.5"} if passes else set())
    assert asked.count("api.example") == (service_host is not None), "asked once for all attempts"


# ---- the command line ----


@pytest.mark.parametrize("name", [" a b.png ", "a\tb\n.png", "\u00a0a\u3000b.png"])
def test_blanks_in_an_address_are_read_as_browsers_do(
    api_client: Any, serve: Callable[..., Server], tmp_path: Path, name: str
) -> None:
    server = serve(answer(PNG))
    url = f" http://127.0.0.1:{server.port}/{name}"
    ran = api_client.inside(
        "download", url, "--out", tmp_path / "out", "--json", SEEDREAM_ALLOW_HOSTS="127.0.0.1"
    )
    assert ran.code == 0 and len(ran.json["images"]) == 1
    assert " " not in server.requests[0].split(" HTTP/1.1")[0].removeprefix("GET ")


def test_data_uri_in_capitals_is_taken(api_client: Any, tmp_path: Path) -> None:
    uri = f"DATA:;charset=utf-8;base64,{base64.b64encode(PNG).decode()}"
    ran = api_client.inside("download", uri, "--out", tmp_path / "out", "--json")
    assert ran.code == 0 and len(ran.json["images"]) == 1
