"""The compression of a response, which its bytes show and its headers may not."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from seedream_api.network import compression
from seedream_api.network.compression import Decompressor, decompress

PLAIN = '{"id": "task-1", "data": [{"url": "https://example.com/图.png"}], "n": 1}'.encode()


def deflate(data: bytes, window: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": gzip.compress(PLAIN),
    "zlib": zlib.compress(PLAIN),
    "zlib of no effort": zlib.compress(PLAIN, 0),
    "zlib of most effort": zlib.compress(PLAIN, 9),
    "gzip twice": gzip.compress(gzip.compress(PLAIN)),
    "gzip in zlib in gzip": gzip.compress(zlib.compress(gzip.compress(PLAIN))),
    "two members": gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]),
    "three members": b"".join(gzip.compress(part) for part in (PLAIN[:5], PLAIN[5:9], PLAIN[9:])),
    "bytes after the end": gzip.compress(PLAIN) + b"\0\0 padding",
}
DECLARED: tuple[dict[str, str] | None, ...] = (
    None, {}, {"content-encoding": "gzip"}, {"content-encoding": "br"},
    {"content-encoding": "identity"}, {"content-encoding": "deflate"},
)  # fmt: skip


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("headers", DECLARED)
def test_compression_is_undone_by_its_bytes(name: str, headers: Any) -> None:
    assert decompress(PACKED[name], headers) == PLAIN


@pytest.mark.parametrize("headers", DECLARED)
@pytest.mark.parametrize(
    "body", [PLAIN, b" " + PLAIN, b"\n" + PLAIN, b"[1]", b"", b"\xef\xbb\xbf{}"]
)
def test_compression_that_is_plain_stays_so_whatever_is_declared(body: bytes, headers: Any) -> None:
    assert decompress(body, headers) == body


def test_compression_of_raw_deflate_needs_its_header() -> None:
    raw = deflate(PLAIN, -zlib.MAX_WBITS)
    assert decompress(raw, {"content-encoding": "Deflate"}) == PLAIN
    assert decompress(raw, {"content-encoding": "gzip"}) == raw
    assert decompress(raw) == raw
    assert decompress(b"no deflate", {"content-encoding": "deflate"}) == b"no deflate"
    assert decompress(b"", {"content-encoding": "deflate"}) == b""


def test_compression_that_only_begins_as_compressed_stays() -> None:
    for body in (b"\x1f\x8b", b"\x1f\x8bnot gzip", b"x\x9c", b"x\x9cnot zlib", b"x{}", b"\x78"):
        assert decompress(body) == body


def test_compression_of_cut_gzip_is_read_as_far_as_it_goes() -> None:
    packed = gzip.compress(PLAIN)
    for cut in (packed[:-1], packed[:-8]):
        assert decompress(cut) == PLAIN
    assert PLAIN.startswith(decompress(packed[:-12])) and len(decompress(packed[:-12])) > 40
    stored = zlib.compress(PLAIN * 50, 0)
    assert decompress(stored[:-100]) == (PLAIN * 50)[: -100 + 4]


def test_compression_of_damaged_gzip_keeps_what_precedes() -> None:
    """A wrong checksum stands after the content, also in the last of many steps."""
    large = b"".join(b"%d," % number for number in range(60_000))
    for content in (PLAIN, large):
        packed = gzip.compress(content, 1)
        assert decompress(packed[:-8] + b"\0\0\0\0" + packed[-4:]) == content
        assert decompress(packed[:-4] + b"\0\0\0\0") == content
        assert decompress(zlib.compress(content)[:-4] + b"\0\0\0\0") == content
    content = PLAIN * 4_000
    stored = bytearray(zlib.compress(content, 0))
    first = int.from_bytes(stored[3:5], "little")
    stored[7 + first + 1] ^= 0xFF  # the length of the second block
    assert decompress(bytes(stored)) == content[:first] and first < len(content)


def test_compression_of_damaged_gzip_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_PLAIN_BYTES", 1_000)
    packed = gzip.compress(b"a" * 800)
    assert decompress(packed + packed[:-8] + bytes(8)) == b"a" * 1_000


def test_compression_of_several_large_members_is_whole() -> None:
    large = b"".join(b"%d," % number for number in range(600_000))
    packed = gzip.compress(large, 1)
    assert decompress(packed + packed + gzip.compress(PLAIN)) == large + large + PLAIN
    assert decompress(zlib.compress(PLAIN) + zlib.compress(PLAIN)) == PLAIN


def test_compression_after_decompression_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compression.MAX_PLAIN_BYTES == 512 << 20
    monkeypatch.setattr(compression, "MAX_PLAIN_BYTES", 1_000)
    assert decompress(gzip.compress(b"a" * 5_000)) == b"a" * 1_000
    assert decompress(gzip.compress(b"a" * 600) + gzip.compress(b"b" * 900)) == (
        b"a" * 600 + b"b" * 400
    )
    assert decompress(gzip.compress(b"a" * 1_000) + gzip.compress(b"b")) == b"a" * 1_000


def test_compression_is_unpacked_only_so_many_times() -> None:
    packed = gzip.compress(PLAIN)
    assert decompress(gzip.compress(gzip.compress(gzip.compress(packed)))) == packed


def test_compression_is_bounded_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_PLAIN_BYTES", 1_000)
    members = gzip.compress(b"a" * 999) + gzip.compress(b"b" * 5)
    assert decompress(members) == b"a" * 999 + b"b"
    monkeypatch.setattr(compression, "_STEP", 1)
    assert decompress(zlib.compress(b"a" * 2_000, 0)) == b"a" * 1_000


def test_decompressor_reads_members_byte_by_byte_to_their_end() -> None:
    members = gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:])
    for packed in (members, members + b"more"):
        decompressor, found, done = Decompressor(16 + zlib.MAX_WBITS), b"", list[bool]()
        for at in range(len(packed)):
            found += b"".join(decompressor.feed(packed[at : at + 1]))
            done.append(decompressor.is_done)
        assert found == PLAIN and done[-1] and not done[len(members) - 2]


def test_decompressor_yields_bounded_pieces_up_to_the_damage() -> None:
    packed = gzip.compress(bytes(700_000))
    pieces = list(Decompressor(47).feed(packed))
    assert [len(piece) for piece in pieces] == [262_144, 262_144, 175_712]
    found = list[bytes]()
    with pytest.raises(zlib.error):
        found.extend(Decompressor(47).feed(packed[:-8] + bytes(8)))
    assert b"".join(found) == bytes(700_000)
