"""A response is read whole however it is framed, and at any cut keeps what arrived."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from seedream_api.network.framing import ResponseReader

BODY = b'{"id": "task-1"}'


def read(sent: bytes, *, pieces: int = 1, closed: bool = True) -> ResponseReader:
    reader = ResponseReader()
    size = max(1, len(sent) // pieces)
    for start in range(0, len(sent), size):
        reader.feed(sent[start : start + size])
    if closed:
        reader.feed(b"")
    reader.end()
    return reader


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


LENGTH = head(f"Content-Length: {len(BODY)}") + BODY
CHUNKED = head("Transfer-Encoding: chunked") + (
    b'5;a=b\r\n{"id"\r\nb\r\n: "task-1"}\r\n0\r\nX: y\r\n\r\n'
)
WHOLE = {
    "length": LENGTH,
    "chunked": CHUNKED,
    "until close": head() + BODY,
    "bare newlines": LENGTH.replace(b"\r\n", b"\n"),
    "blank line first": b"\r\n" + LENGTH,
    "blank line after": LENGTH + b"\r\n",
    "interim": head(status="100 Continue") + head(status="103 Early Hints") + LENGTH,
    "control character in a header": head("X-A: a\x00b", f"Content-Length: {len(BODY)}") + BODY,
    "header without a colon": head("nonsense", f"Content-Length: {len(BODY)}") + BODY,
    "blank before the colon": head("X-A : 1", f"Content-Length : {len(BODY)}") + BODY,
    "folded header": head("X-A: 1", "  2", f"Content-Length: {len(BODY)}") + BODY,
    "bytes above ASCII": head("X-A: \xe9", f"Content-Length: {len(BODY)}") + BODY,
    "huge header": head("X-A: " + "a" * 200_000, f"Content-Length: {len(BODY)}") + BODY,
    "no reason phrase": head(f"Content-Length: {len(BODY)}", status="200") + BODY,
    "HTTP/2.0": LENGTH.replace(b"HTTP/1.1", b"HTTP/2.0"),
    "equal lengths": head(*[f"Content-Length: {len(BODY)}"] * 2) + BODY,
    "different lengths": head("Content-Length: 3", "Content-Length: 5") + BODY,
    "length that is no number": head("Content-Length: many") + BODY,
    "two encodings": CHUNKED.replace(b"chunked", b"gzip, Chunked", 1),
    "chunked and a length": CHUNKED.replace(b"\r\n", b"\r\nContent-Length: 2\r\n", 1),
}


@pytest.mark.parametrize("pieces", [1, 7, 100_000])
@pytest.mark.parametrize("sent", WHOLE.values(), ids=WHOLE)
def test_whole_response_is_whole_in_any_framing(sent: bytes, pieces: int) -> None:
    reader = read(sent, pieces=pieces)
    assert (reader.status, bytes(reader.body), reader.fault) == (200, BODY, None)
    assert reader.is_whole


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (head("Content-Length: 5") + BODY, "longer than announced"),
        (head("Transfer-Encoding: chunked") + BODY, "no size"),
        (head("Transfer-Encoding: chunked") + b"5\r\n" + BODY, "longer than its size"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", "do not end"),
    ],
    ids=["too short a length", "not chunked", "too small a chunk", "headers without end"],
)
def test_badly_framed_response_keeps_its_bytes(sent: bytes, fault: str) -> None:
    reader = read(sent)
    assert reader.status == 200 and fault in str(reader.fault)
    assert bytes(reader.body) == (BODY if BODY in sent else b"")


@pytest.mark.parametrize("sent", [LENGTH, CHUNKED, WHOLE["interim"]])
def test_response_torn_at_any_byte_keeps_what_arrived(sent: bytes) -> None:
    for end in range(len(sent) - 1):
        reader = read(sent[:end])
        assert not reader.is_whole and BODY.startswith(bytes(reader.body))
        after_line = sent[: sent.index(b"200 OK") + 8]
        assert reader.status == (200 if end >= len(after_line) else None)


@pytest.mark.parametrize("sent", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\r\n"])
def test_response_without_a_status_line_is_refused(sent: bytes) -> None:
    assert read(sent).status is None


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_response_without_a_body_ends_with_its_headers(status: str) -> None:
    reader = read(head("Content-Length: 9", status=status), closed=False)
    assert reader.is_whole and reader.body == b""


def test_repeated_headers_are_joined() -> None:
    assert read(head("X-A: 1", "x-a: 2") + BODY).headers == {"x-a": "1, 2"}


def test_json_that_its_length_cuts_off_is_too_short() -> None:
    assert read(head("Content-Length: 5") + BODY[:5], closed=False).is_too_short
    assert not read(LENGTH, closed=False).is_too_short
    assert not read(head("Content-Length: 4") + b"\x1f\x8b{x", closed=False).is_too_short


@given(st.binary(max_size=300), st.integers(1, 300))
def test_no_bytes_make_reading_fail(data: bytes, pieces: int) -> None:
    for start in (b"", head(), head("Transfer-Encoding: chunked"), head("Content-Length: 9")):
        reader = read(start + data, pieces=pieces)
        assert reader.status is None or reader.status >= 101
