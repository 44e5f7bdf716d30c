"""HEIC and AVIF references: converted with a note, and a hint where the library is missing."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from seedream_api import InvalidRequest, ResultUnavailable, file_reference
from seedream_api.images.heif import convert_to_png, find_heif_kind


def heif(kind: str, image: Image.Image) -> bytes:
    import pillow_heif

    stream = io.BytesIO()
    if kind == "AVIF":
        image.save(stream, "AVIF", quality=95)
    else:
        pillow_heif.from_pillow(image).save(stream, quality=95)
    return stream.getvalue()


KINDS = ["HEIC", *(["AVIF"] if features.check("avif") else [])]
"""Pillow before 11.3 reads no AVIF."""


@pytest.mark.parametrize("kind", KINDS)
def test_heif_reference_is_converted_with_a_note(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"photo.{kind.lower()}"
    file.write_bytes(heif(kind, Image.new("RGB", (40, 30), (200, 40, 10))))
    reference = file_reference(file)
    assert (reference.width, reference.height) == (40, 30)
    assert any(kind in note for note in reference.notes)
    assert reference.pixels is not None
    assert np.abs(reference.pixels.astype(int) - (200, 40, 10)).max() < 12


def test_heif_reference_with_alpha_is_composited(tmp_path: Path) -> None:
    file = tmp_path / "photo.heic"
    file.write_bytes(heif("HEIC", Image.new("RGBA", (40, 30), (0, 0, 0, 0))))
    reference = file_reference(file)
    assert reference.pixels is not None and reference.pixels.min() > 240
    assert len(reference.notes) == 2


def test_heif_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "photo.heic"
    file.write_bytes(heif("HEIC", Image.new("RGB", (40, 30))))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InvalidRequest) as caught:
        file_reference(file)
    assert "pillow-heif" in caught.value.message("en")
    assert "pillow-heif" in caught.value.message("zh")


def test_heif_that_is_damaged_or_too_large_is_refused() -> None:
    data = heif("HEIC", Image.new("RGB", (40, 30)))
    with pytest.raises(ResultUnavailable, match="over the limit"):
        convert_to_png(data, "HEIC", name="photo.heic", max_pixels=1_000)
    for kind in KINDS:
        whole = heif(kind, Image.new("RGB", (40, 30)))
        for cut in (20, len(whole) // 2):
            with pytest.raises(ResultUnavailable):
                convert_to_png(whole[:cut], kind, name="photo")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"", None),
    ],
)
def test_heif_kind_is_detected_from_the_brands(head: bytes, kind: str | None) -> None:
    assert find_heif_kind(head) == kind
