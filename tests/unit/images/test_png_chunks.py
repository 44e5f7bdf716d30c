"""PNG chunks whose checksum is wrong: ancillary ones cost no picture, critical ones do."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from seedream_api.errors import ResultUnavailable
from seedream_api.images import png_chunks
from seedream_api.images.decode import decode, decode_into, probe
from seedream_api.images.png_chunks import remove_damaged_chunks

SIDE = 8


def plain() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((SIDE, SIDE)).save(file, "PNG")
    return file.getvalue()


PNG = plain()
HEADER_END, END_BEGINS = 33, len(PNG) - 12


def chunk(kind: bytes, data: bytes, *, off: int = 0) -> bytes:
    checksum = (zlib.crc32(kind + data) + off) & 0xFFFF_FFFF
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def placed(part: bytes, at: int) -> bytes:
    return PNG[:at] + part + PNG[at:]


@pytest.mark.parametrize("at", [HEADER_END, END_BEGINS], ids=["before pixels", "after pixels"])
@pytest.mark.parametrize(
    ("kind", "data"),
    [(b"tEXt", b"a\0b"), (b"pHYs", bytes(9)), (b"eXIf", b"MM\0*"), (b"gAMA", bytes(4)),
     (b"iCCP", b"x\0\0junk"), (b"zTXt", b"x\0\0junk"), (b"caBX", bytes(99)), (b"acTL", bytes(8))],
)  # fmt: skip
def test_wrong_checksum_of_ancillary_chunk_costs_no_picture(
    tmp_path: Path, kind: bytes, data: bytes, at: int
) -> None:
    damaged = placed(chunk(kind, data, off=1), at)
    expected = decode(PNG, name="plain").pixels
    assert np.array_equal(decode(damaged, name="damaged").pixels, expected)
    path = tmp_path / "a.png"
    path.write_bytes(damaged)
    assert probe(path, name="file") == probe(PNG, name="plain")
    rgb = np.empty((SIDE, SIDE, 3), np.float32)
    decode_into(path, rgb, None, name="file")
    assert remove_damaged_chunks(damaged) == PNG


def test_two_damaged_chunks_are_both_left_out() -> None:
    damaged = chunk(b"tEXt", b"a\0b", off=1) + chunk(b"tEXt", b"c\0d") + chunk(b"tIME", b"", off=2)
    assert remove_damaged_chunks(placed(damaged, HEADER_END)) == placed(
        chunk(b"tEXt", b"c\0d"), HEADER_END
    )


@pytest.mark.parametrize("at", [29, 50])
def test_wrong_checksum_of_critical_chunk_is_refused(at: int) -> None:
    damaged = bytearray(PNG)
    damaged[at] ^= 1  # of the header, and of the pixels
    with pytest.raises(ResultUnavailable):
        decode(bytes(damaged), name="damaged")


def test_sound_and_cut_files_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (
        PNG,
        PNG[:40],
        PNG[:3],
        b"",
        b"GIF89a",
        placed(chunk(b"tEXt", b"a"), HEADER_END)[:40],
    ):
        assert remove_damaged_chunks(data) is data
    monkeypatch.setattr(png_chunks, "_MAX_CHUNKS", 2)
    damaged = placed(chunk(b"tIME", b"", off=1), END_BEGINS)
    assert remove_damaged_chunks(damaged) is damaged


def test_global_switch_of_pillow_is_not_touched() -> None:
    decode(placed(chunk(b"tEXt", b"a\0b", off=1), HEADER_END), name="damaged")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
