"""Fetching from servers that nobody vouches for: a gallery of hostile, odd and broken ones."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seedream_api import downloads
from seedream_api.addresses import Policy
from seedream_api.downloads import Download, Downloader, LinkDead, read_data_uri
from seedream_api.errors import (
    InvalidRequest,
    LedgerFailed,
    ReadFailed,
    ResultUnavailable,
    SeedreamError,
    UnsafeURL,
)
from seedream_api.limits import Gate
from seedream_api.loading import load_urls
from seedream_api.partials import PartialFile
from seedream_api.transport import StreamedAnswer, Transport

from .hostile_server import HELD, RESET, Server, answer, chunked, part, redirect, rest

PRIVATE = Policy(may_be_private=True)
PUBLIC_ONLY = Policy()


def encoded(kind: str, side: int = 24) -> bytes:
    noise = bytes(hashlib.shake_128(b"noise").digest(side * side * 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(file, kind)
    return file.getvalue()


PNG = encoded("PNG")
JPEG = encoded("JPEG")
LARGE = encoded("PNG", 800)
"""Over 1 MB, so that it is written in several pieces."""
TAG = 'ETag: "v1"'
PATIENT_S = 20.0
"""Far more than is needed here, and far less than a download has by itself."""


# ---- one fetch ----


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Names:
    """A resolver that gives each answer once, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        found = self.answers[min(len(self.asked), len(self.answers)) - 1] if self.answers else ()
        if not found:
            raise OSError(f"no such name: {host}")
        return found


class Fetcher:
    """Fetches into ``target`` with a fake time."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "picture.part"
        self.time = FakeTime()
        self.gate = Gate(4, clock=self.time.clock, sleep=self.time.sleep)

    def __call__(
        self,
        url: str,
        policy: Policy = PRIVATE,
        *,
        resolver: Callable[[str, int], Iterable[str]] | None = None,
        service_host: str | None = None,
        make_transport: Callable[[], Transport] = Transport,
        **bounds: Any,
    ) -> Download:
        async def fetch() -> Download:
            transport = make_transport()
            downloader = Downloader(
                transport,
                gate=self.gate,
                clock=self.time.clock,
                sleep=self.time.sleep,
                resolver=resolver or Names(),
                service_host=service_host,
            )
            try:
                return await downloader.fetch(url, self.target, policy=policy, **bounds)
            finally:
                await transport.close()

        return asyncio.run(fetch())

    def refused(self, url: str, policy: Policy = PRIVATE, **bounds: Any) -> SeedreamError:
        """The error of a fetch that must fail, and must leave no file."""
        with pytest.raises(SeedreamError) as caught:
            self(url, policy, **bounds)
        assert not self.target.exists()
        return caught.value


@pytest.fixture
def fetch(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a server for some scripts; a bare bytes script is sent as it is."""
    started: list[Server] = []

    def start(*scripts: Any) -> Server:
        steps = [[script] if isinstance(script, bytes) else script for script in scripts]
        started.append(Server(steps).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


# ---- what arrives ----


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_image_is_known_by_its_bytes_whatever_the_server_calls_it(
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
def test_a_signed_or_chinese_address_is_asked_for_as_it_was_signed(
    fetch: Fetcher, serve: Callable[..., Server], given: str, asked: str
) -> None:
    server = serve(answer(PNG))
    fetch(f" http://127.0.0.1:{server.port}{given}")
    assert server.requests[0].split("\r\n")[0] == f"GET {asked} HTTP/1.1"


def test_a_redirect_spelled_in_chinese_is_followed(
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
        (b"<Error><Code>AccessDenied</Code></Error>", "XML"),
        (b"BMW is a car and no bitmap", "TEXT"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
        (b"\x7fELF\x02\x01\x01\0", "?"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "?"),
        (gzip.compress(PNG), "GZIP"),
        (b"\x89PN", "?"),
    ],
)
def test_what_is_no_image_is_refused_at_once(
    fetch: Fetcher, serve: Callable[..., Server], body: bytes, kind: str
) -> None:
    server = serve(answer(body, "Content-Type: image/png"))
    error = fetch.refused(server.url)
    assert (error.key, error.values["kind"]) == ("download_no_image", kind)
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


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip, gzip", "br", "deflate", "zstd", "x"])
def test_compressed_body_is_refused_unread(
    fetch: Fetcher, serve: Callable[..., Server], coding: str
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(10_000_000)))
    error = fetch.refused(serve(answer(bomb, f"Content-Encoding: {coding}")).url)
    assert "compressed" in str(error.values["reason"])


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


# ---- cut and resumed ----


def cut_after(data: bytes, size: int, *headers: str) -> bytes:
    return answer(data[:size], *headers, length=len(data))


@pytest.mark.parametrize("header", [TAG, "Last-Modified: Sat, 01 Nov 2025 00:00:00 GMT"])
def test_cut_download_goes_on_where_it_stopped(
    fetch: Fetcher, serve: Callable[..., Server], header: str
) -> None:
    server = serve(cut_after(LARGE, 1_500_000, header), rest(LARGE, header))
    download = fetch(server.url, deadline_s=PATIENT_S)
    assert fetch.target.read_bytes() == LARGE
    assert (download.bytes, download.sha256) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    assert int(str(server.header(1, "range"))[6:-1]) > 1_000_000
    assert server.header(1, "if-range") == header.split(": ", 1)[1].lower()


def test_download_cut_many_times_arrives_as_long_as_it_moves_on(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    def a_little_more(request: str) -> list[bytes]:
        start = int(request.lower().partition("range: bytes=")[2].partition("-")[0] or 0)
        whole = part(LARGE, start, TAG) if start else answer(LARGE, TAG)
        head = whole.index(b"\r\n\r\n") + 4
        return [whole[: head + 270_000]]

    server = serve(a_little_more)
    assert fetch(server.url).sha256 == hashlib.sha256(LARGE).hexdigest()
    assert len(server.requests) >= len(LARGE) // 270_000


@pytest.mark.parametrize(
    "second",
    [
        answer(LARGE, TAG),
        part(LARGE, 5, TAG),
        answer(LARGE[9:], TAG, status="206 Partial Content"),
        answer(LARGE[9:], TAG, "Content-Range: bytes x-y/z", status="206 Partial Content"),
        answer(b"", "Content-Range: bytes */17", status="416 Range Not Satisfiable"),
        rest(LARGE, 'ETag: "v2"'),
        rest(LARGE + b"more", TAG),
    ],
)
def test_other_bytes_than_the_missing_ones_start_over(
    fetch: Fetcher, serve: Callable[..., Server], second: Any
) -> None:
    server = serve(cut_after(LARGE, 1_500_000, TAG), second, answer(LARGE, TAG))
    fetch(server.url)
    assert fetch.target.read_bytes() == LARGE


@pytest.mark.parametrize(
    "header", ["X-None: 1", 'ETag: W/"v1"', "ETag: v1", 'ETag: "é"', "Last-Modified: é"]
)
def test_without_a_validator_a_cut_download_starts_over(
    fetch: Fetcher, serve: Callable[..., Server], header: str
) -> None:
    server = serve(cut_after(LARGE, 1_500_000, header), answer(LARGE))
    fetch(server.url)
    assert fetch.target.read_bytes() == LARGE and server.header(1, "range") is None


def test_whole_file_whose_answer_lacked_its_end_is_taken(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    whole = PNG + bytes(256 * 1024 - len(PNG))
    nothing_more = answer(
        b"none", f"Content-Range: bytes */{len(whole)}", status="416 Range Not Satisfiable"
    )
    server = serve(chunked(whole, end=False, headers=[TAG]), nothing_more)
    fetch(server.url)
    assert fetch.target.read_bytes() == whole and len(server.requests) == 2


@pytest.mark.parametrize(
    "cut",
    [
        answer(PNG[:200], length=None),
        answer(PNG[:-12], length=None),
        answer(JPEG[:-2], length=None),
        answer(encoded("WEBP")[:-20], length=None),
        answer(PNG[:200]),
        answer(PNG[:200], length=len(PNG)),
        chunked(PNG[:200], end=False),
        chunked(PNG[:200]),
        answer(b""),
        b"",
        [RESET],
        [answer(PNG[:50], length=len(PNG)), RESET],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\0\x02\x02\x46",
        answer(PNG, "Content-Length: 5"),
        answer(PNG, "Content-Length: -1", length=None),
        answer(b"zz\r\n", "Transfer-Encoding: chunked", length=None),
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 300_000 + b"\r\n\r\n" + PNG,
    ],
)
def test_cut_and_garbled_answers_are_tried_again(
    fetch: Fetcher, serve: Callable[..., Server], cut: Any
) -> None:
    server = serve(cut, answer(PNG))
    fetch(server.url)
    assert fetch.target.read_bytes() == PNG
    assert len(fetch.time.pauses) == 1 and len(server.requests) == 2


def test_server_that_begins_again_and_again_is_bounded_in_bytes(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(cut_after(LARGE, len(LARGE) - 1))
    error = fetch.refused(server.url, max_bytes=len(LARGE))
    assert "again and again" in str(error.values["reason"])
    assert len(server.requests) <= 4


def test_always_cut_download_fails_within_its_patience(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    error = fetch.refused(serve(cut_after(PNG, 100)).url + "?Signature=secret")
    assert error.key == "download_failed" and "cut" in str(error.values["reason"])
    assert "secret" not in str(error) and fetch.time.now <= 90


def test_bytes_after_an_image_pass(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    server = serve(answer(PNG + bytes(200_000)))
    assert fetch(server.url).bytes and len(server.requests) == 1


def test_a_jpeg_without_its_end_mark_passes_when_it_comes_so_twice(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(JPEG[:-2]))
    assert fetch(server.url).bytes == len(JPEG) - 2 and len(server.requests) == 2


@pytest.mark.parametrize("headers", [[], [TAG]])
def test_a_jpeg_that_was_announced_too_short_comes_whole_the_next_time(
    fetch: Fetcher, serve: Callable[..., Server], headers: list[str]
) -> None:
    short = answer(JPEG[:-40], *headers)
    whole = rest(JPEG, TAG) if headers else answer(JPEG)
    server = serve(short, whole)
    fetch(server.url)
    assert fetch.target.read_bytes() == JPEG and len(server.requests) == 2


# ---- status ----


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_dead_link_is_told_apart_and_not_tried_again(
    fetch: Fetcher, serve: Callable[..., Server], status: int
) -> None:
    server = serve(answer(PNG, status=f"{status} No"))
    error = fetch.refused(server.url + "?X-Signature=secret")
    assert isinstance(error, LinkDead) and error.values["http"] == status
    assert len(server.requests) == 1 and "secret" not in str(error)


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 402, 405, 416, 418, 451])
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


def test_retry_after_is_honoured_and_429_holds_all_downloads_back(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    monkeypatch.setattr(fetch.gate, "hold_back", held.append)
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
    policy = Policy(frozenset({f"pictures.example:{server.port}"}))
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
    monkeypatch.setattr("seedream_api.addresses.is_public", lambda address: address.is_loopback)
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    error = fetch.refused(f"http://x.example:{server.port}/", PUBLIC_ONLY, resolver=names)
    assert isinstance(error, UnsafeURL) and error.values["address"] == "10.0.0.1"
    assert len(server.requests) == 1


def test_unknown_name_is_given_up_sooner(fetch: Fetcher) -> None:
    error = fetch.refused("https://nowhere.example/a.png", PUBLIC_ONLY)
    assert "cannot be resolved" in str(error.values["reason"])
    assert fetch.time.now <= 20


def test_proxy_gets_the_name_and_private_redirects_are_still_refused(
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


# ---- ends ----


def test_urls_that_are_none_are_refused_before_anything(fetch: Fetcher) -> None:
    assert type(fetch.refused("file:///etc/passwd")) is InvalidRequest
    assert type(fetch.refused("http://user:pw@example.com/")) is UnsafeURL


def test_cancelled_download_leaves_no_file(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve([cut_after(LARGE, 1_500_000), HELD])

    async def cancel_halfway() -> None:
        half_way = asyncio.Event()

        class Telling(PartialFile):
            async def flush(self) -> None:
                await super().flush()
                half_way.set()

        monkeypatch.setattr(downloads, "PartialFile", Telling)
        transport = Transport()
        downloader = Downloader(transport, gate=fetch.gate)
        task = asyncio.ensure_future(downloader.fetch(server.url, fetch.target, policy=PRIVATE))
        await half_way.wait()
        assert fetch.target.exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not fetch.target.exists()
        await transport.close()

    asyncio.run(cancel_halfway())


def test_disk_that_takes_nothing_is_told_as_such(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    fetch = Fetcher(tmp_path / "missing")
    error = fetch.refused(serve(answer(PNG)).url)
    assert isinstance(error, LedgerFailed)


def test_gate_bounds_the_downloads_that_run_at_once(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    inside: list[str] = []
    most: list[int] = []

    class Counting(Transport):
        @asynccontextmanager
        async def open(self, url: str, **how: Any) -> AsyncIterator[StreamedAnswer]:
            inside.append(url)
            most.append(len(inside))
            async with super().open(url, **how) as given:
                yield given
            inside.remove(url)

    time = FakeTime()
    server = serve(answer(PNG))

    async def fetch_six() -> list[Download]:
        transport = Counting()
        gate = Gate(2, clock=time.clock, sleep=time.sleep)
        downloader = Downloader(transport, gate=gate, clock=time.clock, sleep=time.sleep)
        fetches = [
            downloader.fetch(server.url, tmp_path / f"{n}.part", policy=PRIVATE) for n in range(6)
        ]
        try:
            return await asyncio.gather(*fetches)
        finally:
            await transport.close()

    assert len(asyncio.run(fetch_six())) == 6
    assert max(most) == 2


# ---- data URIs ----


def test_data_uri_gives_its_bytes() -> None:
    text = base64.b64encode(PNG).decode()
    assert read_data_uri(f"data:image/png;base64,{text}", len(PNG)) == PNG
    assert read_data_uri(f"DATA:IMAGE/JPEG;BASE64,{text}", len(PNG)) == PNG


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("", "download_failed"),
        ("data:,hello", "download_failed"),
        ("data:text/html;base64,PGh0bWw+", "download_failed"),
        ("data:image/png,%89PNG", "download_failed"),
        ("data:image/png;base64,@@@@", "download_failed"),
        ("data:image/png;base64,iVBORw0KGgo", "download_failed"),
        ("data:image/png;base64,iVBO Rw0K", "download_failed"),
        ("data:image/png;base64,", "download_no_image"),
        ("data:image/svg+xml;base64,PHN2Zy8+", "download_no_image"),
        ("data:image/png;base64," + "A" * 4000, "download_too_large"),
        ("https://example.com/a.png", "download_failed"),
    ],
)
def test_data_uri_that_holds_no_bounded_image_is_refused(uri: str, key: str) -> None:
    with pytest.raises(ResultUnavailable) as caught:
        read_data_uri(uri, 2000)
    assert caught.value.key == key and caught.value.values["given"] == "data:…"


def test_a_data_uri_for_which_there_is_no_room_is_told_like_any_other(
    customer: Any, tmp_path: Path
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    folder = tmp_path / "not there"
    [loaded] = customer.run(lambda session: load_urls([uri], session, folder))
    assert isinstance(loaded.error, LedgerFailed) and loaded.path is None
    assert str(folder) in loaded.error.message("en")
