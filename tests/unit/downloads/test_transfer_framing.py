"""Images in responses whose framing is broken, and ranges that lie."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from support.download_kit import JPEG, LARGE, PNG, TAG, Fetcher, encoded
from support.hostile_server import RESET, Server, answer, chunked, cut_after

IMAGES = [encoded(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")]
NAMES = ["PNG", "JPEG", "WebP", "GIF"]


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
@pytest.mark.parametrize(
    "framed",
    [
        lambda image: answer(image, length=len(image) + 9),
        lambda image: chunked(image, end=False),
        lambda image: chunked(image, end=False) + b"zz\r\n",
        lambda image: chunked(image, end=False) + b"ffffffffffffffffffffff\r\n",
        lambda image: chunked(image)[:-2] + b"Bad Trailer\r\n\r\n",
        lambda image: answer(
            b"%x\r\n%s" % (len(image) + 50, image), "Transfer-Encoding: chunked", length=None
        ),
        lambda image: answer(gzip.compress(image)[:-4], "Content-Encoding: gzip"),
    ],
)
def test_whole_image_with_broken_framing_is_taken_at_once(
    fetch: Fetcher, serve: Callable[..., Server], image: bytes, framed: Callable[[bytes], Any]
) -> None:
    server = serve(framed(image))
    fetch(server.url)
    assert fetch.target.read_bytes() == image and len(server.requests) == 1


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
def test_image_without_its_end_is_not_called_whole(
    fetch: Fetcher, serve: Callable[..., Server], image: bytes
) -> None:
    server = serve(answer(image[:-20], length=len(image)), answer(image))
    fetch(server.url)
    assert fetch.target.read_bytes() == image and len(server.requests) == 2


def test_end_of_a_thumbnail_does_not_end_the_jpeg(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    thumbnail = b"\xff\xe1" + (2 + len(JPEG)).to_bytes(2, "big") + JPEG
    photograph = JPEG[:2] + thumbnail + JPEG[2:]
    server = serve(chunked(photograph[:-100], end=False), answer(photograph))
    fetch(server.url)
    assert fetch.target.read_bytes() == photograph and len(server.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        answer(PNG[:200], length=len(PNG)),
        answer(PNG[:200]),
        answer(b""),
        chunked(PNG[:200], end=False),
    ],
)
def test_fault_that_repeats_identically_is_given_up(
    fetch: Fetcher, serve: Callable[..., Server], fault: bytes
) -> None:
    server = serve(fault)
    assert fetch.refused(server.url).key == "download_failed"
    assert len(server.requests) == 3 and fetch.time.now < 5


@pytest.mark.parametrize("line", ["Bad Header: x", "no header at all", "Content-Length: 5"])
def test_image_behind_an_illegal_header_line_arrives(
    fetch: Fetcher, serve: Callable[..., Server], line: str
) -> None:
    server = serve(answer(PNG, line))
    fetch(server.url)
    assert fetch.target.read_bytes() == PNG and len(server.requests) == 2


@pytest.mark.parametrize("fault", [[RESET], b"", answer(b"", status="503 Busy")])
def test_fault_that_may_pass_keeps_its_patience(
    fetch: Fetcher, serve: Callable[..., Server], fault: Any
) -> None:
    server = serve(*[fault] * 8, answer(PNG))
    assert fetch(server.url).bytes == len(PNG) and len(server.requests) == 9


# ---- ranges that lie ----


def lies(data: bytes, *, begins_at: int, tells: str) -> Callable[[str], list[bytes]]:
    def script(request: str) -> list[bytes]:
        start = int(request.lower().partition("range: bytes=")[2].partition("-")[0])
        place = tells.format(start=start, end=len(data) - 1, total=len(data))
        body = data[begins_at : begins_at + len(data) - start]
        headers = [TAG, f"Content-Range: bytes {place}"]
        return [answer(body, *headers, status="206 Partial Content")]

    return script


@pytest.mark.parametrize("begins_at", [0, 1, 700_000])
@pytest.mark.parametrize("tells", ["{start}-{end}/{total}", "{start}-{end}/*"])
def test_range_response_with_other_bytes_starts_over(
    fetch: Fetcher, serve: Callable[..., Server], begins_at: int, tells: str
) -> None:
    server = serve(
        cut_after(LARGE, 1_500_000, TAG),
        lies(LARGE, begins_at=begins_at, tells=tells),
        cut_after(LARGE, 1_500_000, TAG),
        answer(LARGE, TAG),
    )
    fetch(server.url)
    assert fetch.target.read_bytes() == LARGE
    assert server.header(1, "range") and server.header(3, "range") is None


def test_several_parts_in_one_response_start_over(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    parts = answer(
        b"--x\r\nContent-Range: bytes 0-9/20\r\n\r\n",
        "Content-Type: multipart/byteranges; boundary=x",
        status="206 Partial Content",
    )
    server = serve(cut_after(LARGE, 1_500_000, TAG), parts, answer(LARGE))
    fetch(server.url)
    assert fetch.target.read_bytes() == LARGE


@pytest.mark.parametrize(
    "place", ["X-None: 1", f"Content-Range: bytes 0-{len(PNG) - 1}/{len(PNG)}", "Content-Range: ?"]
)
def test_part_that_is_the_whole_image_is_taken(
    fetch: Fetcher, serve: Callable[..., Server], place: str
) -> None:
    server = serve(answer(PNG, place, status="206 Partial Content"))
    assert fetch(server.url).bytes == len(PNG) and len(server.requests) == 1


@pytest.mark.parametrize("status", ["201 Made", "203 Changed", "226 IM Used", "299 Odd"])
def test_image_of_any_success_is_taken(
    fetch: Fetcher, serve: Callable[..., Server], status: str
) -> None:
    assert fetch(serve(answer(PNG, status=status)).url).bytes == len(PNG)


def test_image_that_is_still_being_made_is_waited_for(
    fetch: Fetcher, serve: Callable[..., Server]
) -> None:
    server = serve(answer(b"soon", status="202 Accepted"), answer(PNG))
    assert fetch(server.url).bytes == len(PNG)
