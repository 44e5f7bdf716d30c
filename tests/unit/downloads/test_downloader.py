"""Fetching from hostile, odd and broken servers: what arrives, bounds, and ends."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api.downloads import downloader as downloads
from seedream_api.downloads.downloader import Download
from support.download_kit import (
    PATIENT_S,
    PNG,
    Fetcher,
    encoded,
)
from support.hostile_server import HELD, Server, answer, chunked, redirect

# ---- what arrives ----


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_image_type_comes_from_bytes_not_headers(
    fetch: Fetcher, serve: Callable[..., Server], kind: str
) -> None:
    data = encoded(kind)
    server = serve(answer(data, "Content-Type: text/html"))
    download = fetch(server.url)
    assert fetch.target.read_bytes() == data
    assert download == Download(
        fetch.target,
        len(data),
        hashlib.sha256(data).hexdigest(),
        f"image/{kind.lower()}",
        download.seconds,
        server.url,
    )
    assert download.seconds > 0
    if os.name == "posix":
        assert fetch.target.stat().st_mode & 0o777 == 0o600


def test_request_says_who_asks_and_carries_no_secret(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(PNG))
    fetch(server.url)
    assert server.header(0, "user-agent") and "seedream" in str(server.header(0, "user-agent"))
    assert server.header(0, "accept") == "image/*"
    assert server.header(0, "accept-encoding") == "identity"
    for name in ("authorization", "cookie", "range", "referer"):
        assert server.header(0, name) is None


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("/图片/猫.png?名=值", "/%E5%9B%BE%E7%89%87/%E7%8C%AB.png?%E5%90%8D=%E5%80%BC"),
        ("/a%2Fb%20c,d+e~f'g(h)!*;=@$&.png", "/a%2Fb%20c,d+e~f'g(h)!*;=@$&.png"),
        ("/a?X-Amz-Signature=a%2Fb%3D&q=a+b,~!'()*", "/a?X-Amz-Signature=a%2Fb%3D&q=a+b,~!'()*"),
        ("/a?u=http://b.example/c?d=e", "/a?u=http://b.example/c?d=e"),
        ("/two words.png  \t", "/two%20words.png"),
        ("/a//b.png#part", "/a//b.png"),
    ],
)  # fmt: skip
def test_signed_or_chinese_url_is_sent_unchanged(
    fetch: Fetcher, serve: Callable[..., Server], given: str, asked: str
) -> None:
    server = serve(answer(PNG))
    fetch(f" http://127.0.0.1:{server.port}{given}")
    assert server.requests[0].split("\r\n")[0] == f"GET {asked} HTTP/1.1"


def test_redirect_spelled_in_chinese_is_followed(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(redirect("/猫 1.png".encode().decode("latin-1")), answer(PNG))
    fetch(server.url)
    assert server.requests[1].startswith("GET /%E7%8C%AB%201.png HTTP/1.1")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf  <HTML>", "HTML"),
        (b'{"error": "expired"}', "JSON"),
        (b"\n[1]", "JSON"),
        (b"<?xml version='1.0'?><svg xmlns=''/>", "SVG"),
        (b"<Error><Code>AccessDenied</Code></Error>", "XML (AccessDenied)"),
        (
            b"<?xml version='1.0'?>\n<Error><Code>ExpiredToken</Code><Message>The token has "
            b"expired.</Message></Error>",
            "XML (ExpiredToken: The token has expired.)",
        ),
        (
            b"<!-- a --><!DOCTYPE html><html lang=x><head><title>\n Sign  in</title>",
            "HTML (Sign in)",
        ),
        (b"<html>" + b" " * 600 + b"<TITLE lang='en'>A &amp; B</TITLE>", "HTML (A & B)"),
        (b"<html><title>\xe7\x99\xbb\xe5\xbd\x95</title>", "HTML (\u767b\u5f55)"),
        (b"<html><meta charset=gbk><title>\xb5\xc7\xc2\xbc</title>", "HTML (\u767b\u5f55)"),
        (b"<html><meta charset=none><title>x</title>", "HTML (x)"),
        (b"<html><title></title><body><h1>403 <b>Forbidden</b></h1>", "HTML (403 Forbidden)"),
        (b"<html><title>&lt;script&gt;a&lt;/script&gt;\x1b[31m</title>", "HTML (a [31m)"),
        (b"<html><title>" + b"long " * 40 + b"</title>", f"HTML ({'long ' * 15}long\u2026)"),
        (b"<html><title>at https://x.example/a?X-Sig=secret</title>", None),
        (b"BMW is a car and no bitmap", "TEXT"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
        (b"\x7fELF\x02\x01\x01\0", "?"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "?"),
        (gzip.compress(gzip.compress(PNG, mtime=0), mtime=0), "GZIP"),
        (gzip.compress(b"<html>", mtime=0), "HTML"),
        (b"\x89PN", "?"),
    ],
)
def test_download_without_an_image_is_refused_at_once(
    fetch: Fetcher, serve: Callable[..., Server], body: bytes, kind: str | None
) -> None:
    server = serve(answer(body, "Content-Type: image/png"))
    error = fetch.refused(server.url)
    assert error.key == "download_no_image" and "secret" not in str(error)
    assert kind is None or error.values["kind"] == kind
    assert len(server.requests) == 1


def test_endless_page_is_refused_after_its_first_bytes(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve([chunked(b"<html>" + b" " * 400_000, end=False), HELD])
    assert fetch.refused(server.url).key == "download_no_image"


# ---- bounds ----


def test_larger_announced_length_is_refused_before_the_body(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve([answer(b"", length=10**12), HELD])
    error = fetch.refused(server.url, max_bytes=1000)
    assert (error.key, error.values["allowed"]) == ("download_too_large", 1000)
    assert len(server.requests) == 1


@pytest.mark.parametrize("length", [None, 100_000])
def test_bytes_are_counted_whatever_was_announced(
    fetch: Fetcher, serve: Callable[..., Server], length: int | None
) -> None:
    endless = (chunk for chunk in [answer(b"", length=length), PNG, *[b"x" * 1000] * 2000])
    error = fetch.refused(serve(endless).url, max_bytes=50_000)
    assert error.key == "download_too_large"


def test_image_of_exactly_the_limit_passes(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    assert fetch(serve(chunked(PNG)).url, max_bytes=len(PNG)).bytes == len(PNG)
    assert fetch.refused(serve(chunked(PNG)).url, max_bytes=len(PNG) - 1)


@pytest.mark.parametrize(
    "script",
    [
        [HELD],
        [b"HTTP/1.1 200 OK\r\n", HELD],
        [b"HTTP/1.1 200 OK\r\nX-Drip: a", b"a", HELD],
        [answer(b"", length=1000), HELD],
        [answer(PNG[:100], length=len(PNG)), HELD],
        [chunked(PNG[:100], end=False), HELD],
    ],
)
def test_silent_and_dripping_servers_are_given_up(
    fetch: Fetcher,
    serve: Callable[..., Server],
    script: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "STALL_WINDOW_S", 0.02)
    error = fetch.refused(serve(script).url, deadline_s=PATIENT_S)
    assert "less than" in str(error.values["reason"])
    assert fetch.time.now > 60, "tried again, with the clock of the patience"


def test_all_attempts_together_end_at_the_deadline(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    error = fetch.refused(serve([answer(PNG[:9], length=99), HELD]).url, deadline_s=0.1)
    assert "did not arrive within 0.1 s" in str(error.values["reason"])
