"""Downloads that are cut, resumed, or framed wrongly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from support.download_kit import (
    JPEG,
    LARGE,
    PATIENT_S,
    PNG,
    TAG,
    Fetcher,
    encoded,
)
from support.hostile_server import RESET, Server, answer, chunked, cut_after, part, rest


@pytest.mark.parametrize("header", [TAG, "Last-Modified: Sat, 01 Nov 2025 00:00:00 GMT"])
def test_cut_download_resumes_where_it_stopped(
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


def test_whole_file_of_a_response_without_end_is_taken(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    whole = encoded("TIFF", 400)  # a format without an end mark
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
        answer(b"zz\r\n", "Transfer-Encoding: chunked", length=None),
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 300_000 + b"\r\n\r\n" + PNG,
    ],
)
def test_cut_and_garbled_responses_are_retried(
    fetch: Fetcher, serve: Callable[..., Server], cut: Any
) -> None:
    server = serve(cut, answer(PNG))
    fetch(server.url)
    assert fetch.target.read_bytes() == PNG
    assert len(fetch.time.pauses) == 1 and len(server.requests) == 2


def test_server_that_begins_again_and_again_is_bounded_in_bytes(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(*[cut_after(LARGE, len(LARGE) - less) for less in range(13, 18)])
    error = fetch.refused(server.url, max_bytes=len(LARGE))
    assert "repeatedly" in str(error.values["reason"])
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


def test_jpeg_without_end_passes_when_received_twice(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(JPEG[:-2]))
    assert fetch(server.url).bytes == len(JPEG) - 2 and len(server.requests) == 2


@pytest.mark.parametrize("headers", [[], [TAG]])
def test_jpeg_announced_too_short_comes_whole_the_next_time(
    fetch: Fetcher, serve: Callable[..., Server], headers: list[str]
) -> None:
    short = answer(JPEG[:-40], *headers)
    whole = rest(JPEG, TAG) if headers else answer(JPEG)
    server = serve(short, whole)
    fetch(server.url)
    assert fetch.target.read_bytes() == JPEG and len(server.requests) == 2
