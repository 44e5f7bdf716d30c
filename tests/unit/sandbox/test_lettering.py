"""Words on the sandbox's pictures, on machines that have fewer fonts than ours."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFont

from seedream_api.sandbox import lettering
from seedream_api.sandbox.drawing import Picture, Studio

LONG = "A cat that sits on a wall and looks at the sea, " * 12


def without(monkeypatch: pytest.MonkeyPatch, *lists: str) -> None:
    for name in lists:
        monkeypatch.setattr(lettering, name, ())


def drawn(prompt: str) -> Image.Image:
    picture = Picture(
        digest="d", index=0, count=1, size=(512, 512), prompt=prompt, caption="Seedream-4.0   1K",
        thumbnails=(), watermark=True, output_format="png",
    )  # fmt: skip
    return Image.open(io.BytesIO(Studio().encoded(picture)))


def test_without_a_chinese_font_the_picture_says_how_much_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lettering, "_found", lambda names: "DejaVuSans.ttf" if names else None)
    without(monkeypatch, "_HAN")
    assert lettering.showable("A cat 一只猫 sits") == (
        "A cat sits [3 CJK characters: no font here]"
    )
    assert lettering.showable("一只猫") == "[3 CJK characters: no font here]"
    assert lettering.showable("A cat") == "A cat"


def test_without_any_font_there_are_still_a_picture_and_its_plain_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, "_HAN", "_PLAIN")
    assert lettering.showable("Café 一只") == "Caf? ??"
    assert drawn("Café 一只").size == (512, 512)


def test_a_machine_whose_pillow_reads_no_fonts_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def truetype(*_: object, **__: object) -> None:
        raise ImportError("The _imagingft C module is not installed")

    monkeypatch.setattr(ImageFont, "truetype", truetype)
    assert lettering._found.__wrapped__(("any.ttf", "other.ttf")) is None


@pytest.mark.parametrize("text", [LONG, "x" * 400, "一只猫坐在墙上" * 40, "", "   "])
def test_whatever_is_asked_for_fits_into_its_lines(text: str) -> None:
    lines, letters = lettering.fitted(text, 32, 300, 3)
    assert 1 <= len(lines) <= 3
    assert all(lettering.text_width(line, letters) <= 300 for line in lines)
    assert lines[-1].endswith(" ...") == (len(text.strip()) > 100)


def test_words_stay_whole_where_they_can() -> None:
    lines, _ = lettering.fitted("A cat on the grass", 20, 150, 4)
    assert " ".join(lines) == "A cat on the grass"
