"""Images that are served compressed, or are only said to be."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from support.download_kit import LARGE, PNG, TAG, Fetcher
from support.hostile_server import Server, answer, cut_after


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br"])
def test_body_that_cannot_be_unpacked_is_refused(
    fetch: Fetcher, serve: Callable[..., Server], coding: str
) -> None:
    error = fetch.refused(serve(answer(bytes(99), f"Content-Encoding: {coding}")).url)
    assert "compressed" in str(error.values["reason"])


@pytest.mark.parametrize(
    "coding",
    ["aws-chunked", "base64", "utf-8", "UTF8", "binary", "none", "identity, aws-chunked", "8bit",
     "gzip", "br", "deflate", "zstd", "x", "é", ","],
)  # fmt: skip
def test_image_sent_as_it_is_passes_whatever_its_coding_says(
    fetch: Fetcher, serve: Callable[..., Server], coding: str
) -> None:
    server = serve(answer(PNG, f"Content-Encoding: {coding}"))
    assert fetch(server.url).bytes == len(PNG) and fetch.target.read_bytes() == PNG


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip, aws-chunked", gzip.compress),
        ("none", gzip.compress),
        ("deflate", zlib.compress),
        ("DEFLATE", raw_deflate),
        ("gzip", lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]) + b"more"),
    ],
)
def test_compressed_image_is_unpacked(
    fetch: Fetcher, serve: Callable[..., Server], coding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(LARGE)
    server = serve(cut_after(packed, 1_200_000, TAG, f"Content-Encoding: {coding}"),
                   answer(packed, TAG, f"Content-Encoding: {coding}"))  # fmt: skip
    download = fetch(server.url)
    assert fetch.target.read_bytes() == LARGE and download.bytes == len(LARGE)
    assert server.header(1, "range") is None, "a place in the packed bytes is none in the file"


def test_compressed_bomb_is_refused(fetch: Fetcher, serve: Callable[..., Server]) -> None:
    bomb = gzip.compress(PNG + bytes(50_000_000))
    error = fetch.refused(serve(answer(bomb, "Content-Encoding: gzip")).url, max_bytes=1_000_000)
    assert error.key == "download_too_large"


def test_damaged_compressed_body_is_given_up_soon(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    packed = bytearray(gzip.compress(PNG * 40 + LARGE))
    packed[500_000:500_100] = b"\xff" * 100
    server = serve(answer(bytes(packed[:200]) + b"\xff" * 400))
    error = fetch.refused(server.url)
    assert error.key == "download_failed" and len(server.requests) == 3
