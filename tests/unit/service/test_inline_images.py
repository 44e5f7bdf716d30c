"""Images inside a response: base64 in any spelling, and data URIs."""

from __future__ import annotations

import base64

import pytest

from seedream_api.service.inline_images import SMALLEST_IMAGE, decode_image

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\xff\xfe\xfb"
TEXT = base64.b64encode(PNG).decode()
SAFE = base64.urlsafe_b64encode(PNG).decode()
ODD = b"\x00new format" + bytes(range(240, 256))
"""Bytes of a kind that is not known."""


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def certain(text: str | memoryview) -> bytes | None:
    return decode_image(text, is_certain=True)


SPELLINGS = {
    "plain": TEXT,
    "unpadded": TEXT.rstrip("="),
    "urlsafe": SAFE,
    "urlsafe unpadded": SAFE.rstrip("="),
    "MIME lines": "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
    "blanks": f" \t{TEXT[:9]} {TEXT[9:]}\f\v\n",
    "quotes": f"'\"`{TEXT}`\"'",
    "escaped slash": TEXT.replace("/", "\\/"),
    "escaped letters": TEXT.replace("/", "\\u002f").replace("+", "\\u002b"),
    "escaped capitals": TEXT.replace("/", "\\u002F").replace("+", "\\u002B"),
    "escaped lines": "\\r\\n".join((TEXT[:40], TEXT[40:80], TEXT[80:])),
    "escaped tab": f"{TEXT[:40]}\\t{TEXT[40:]}",
    "escaped padding": TEXT.replace("=", "\\u003d"),
    "escaped padding in capitals": TEXT.replace("=", "\\u003D"),
    "percent": TEXT.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    "too much padding": TEXT.rstrip("=") + "====",
    "prefix": f"base64,{TEXT}",
    "short prefix": f" B64:{TEXT}",
    "data URI": f"data:image/png;base64,{TEXT}",
    "capital data URI": f"DATA:IMAGE/PNG;BASE64,{TEXT}",
    "data URI without a type": f"data:;base64,{TEXT}",
    "data URI with a charset": f"data:image/png;charset=utf-8;base64,{TEXT}",
    "data URI with blanks": f"  data:image/png;base64, {TEXT}",
    "data URI with percent": f"data:image/png;base64,{TEXT.replace('+', '%2b')}",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_inline_image_is_read_in_any_spelling(name: str) -> None:
    assert decode_image(SPELLINGS[name], is_certain=False) == PNG
    assert certain(memoryview(SPELLINGS[name].encode())) == PNG


@pytest.mark.parametrize("length", range(16, 23))
def test_inline_image_of_any_length_is_read(length: int) -> None:
    for text in (coded(PNG[:length]), coded(PNG[:length]).rstrip("=")):
        assert decode_image(text, is_certain=False) == PNG[:length]


def test_inline_data_uri_without_base64_is_unquoted() -> None:
    quoted = "".join(f"%{byte:02X}" for byte in PNG)
    assert certain(f"data:image/png,{quoted}") == PNG


def test_inline_image_of_an_unknown_kind_needs_its_place() -> None:
    assert certain(coded(ODD)) == ODD
    assert decode_image(coded(ODD), is_certain=False) is None


def test_inline_image_has_a_least_size() -> None:
    assert SMALLEST_IMAGE == 16
    assert certain(coded(ODD[:16])) == ODD[:16] and certain(coded(ODD[:15])) is None
    assert certain(coded(PNG[:9])) == PNG[:9]  # its first bytes say that it is an image


@pytest.mark.parametrize(
    "data",
    [
        b"this is a long text and not an image", b"<html><body>an error page</body></html>",
        b'{"error": "something went wrong"}', b"<?xml version='1.0'?><Error>denied</Error>",
    ],
)  # fmt: skip
def test_inline_text_is_not_an_image(data: bytes) -> None:
    assert certain(coded(data)) is None
    assert certain(f"data:text/plain;base64,{coded(data)}") is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "=", "====", "A", "!!!", "pending", "null", "not base64 at all.",
        coded(ODD)[:-3] + "=" + coded(ODD)[-3:], coded(ODD).rstrip("=")[:-1] + "*", "图片",
        coded(ODD) + "A=A", TEXT.rstrip("=") + "A", "data:image/png;base64,", "\ud800",
        "=" + TEXT, TEXT[:8] + "==" + TEXT[8:], "*" * 30, TEXT[:-8] + "****" + TEXT[-4:],
    ],
)  # fmt: skip
def test_inline_text_that_is_not_base64_is_nothing(text: str) -> None:
    assert certain(text) is None


# ---- large ones, which are decoded in pieces ----

LARGE = PNG + bytes(range(256)) * 9_000
"""Three pieces of base64."""
PIECE = 1 << 20


@pytest.mark.parametrize("shift", range(8))
def test_inline_image_in_pieces_is_the_same(shift: int) -> None:
    text = coded(LARGE)
    for cut in (" " * shift + text, text[:100] + "\\n" + " " * shift + text[100:]):
        assert certain(cut) == LARGE
    assert certain(text.rstrip("=")) == LARGE


@pytest.mark.parametrize("before", range(8))
def test_inline_escape_across_two_pieces_is_read(before: int) -> None:
    text = coded(LARGE)
    at = next(i for i in range(PIECE - before - 20, len(text)) if text[i] == "/")
    # So many blanks in front put the escape at the end of a piece, as far as the first one goes.
    blanks = " " * (PIECE - before - at)
    escaped = text[:at] + "\\u002f" + text[at + 1 :]
    assert len(blanks + text[:at]) == PIECE - before
    assert certain(blanks + escaped) == LARGE


def test_inline_image_damaged_in_a_later_piece_is_nothing() -> None:
    text = coded(LARGE)
    for at in (PIECE - 1, PIECE, PIECE + 5, 2 * PIECE + 1):
        assert certain(text[:at] + "=" + text[at:]) is None
        assert certain(text[:at] + "*" + text[at + 1 :]) is None


@pytest.mark.parametrize("shift", range(8))
def test_inline_escapes_are_never_cut_in_two(shift: int) -> None:
    data = PNG[:9] + b"\xff" * 240_000
    escaped = coded(data).replace("//", "\\u002f\\/")
    assert len(escaped) > PIECE and certain(" " * shift + escaped) == data
