"""Text on the sandbox's images, on machines with few fonts."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFont

from seedream_api.sandbox import text as page_text
from seedream_api.sandbox.renderer import Renderer
from seedream_api.sandbox.tasks import StoredTask

LONG = "A cat that sits on a wall and looks at the sea, " * 12


def without(monkeypatch: pytest.MonkeyPatch, *lists: str) -> None:
    for name in lists:
        monkeypatch.setattr(page_text, name, ())


def drawn(prompt: str) -> Image.Image:
    task = StoredTask(
        id="", owner="", model="Seedream-4.0", prompt=prompt, tier="1K", ratio="1:1", count=1,
        extension="png", watermark=True, references=(), digest="d", created=0, seconds=0,
    )  # fmt: skip
    return Image.open(io.BytesIO(Renderer().render(task, 0, "1:1", (512, 512))))


def test_missing_cjk_font_counts_the_omitted_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_text, "_find_font", lambda names: "DejaVuSans.ttf" if names else None)
    without(monkeypatch, "_CJK_FONTS")
    assert page_text.to_displayable("A cat 一只猫 sits") == (
        "A cat sits [3 CJK characters: no font here]"
    )
    assert page_text.to_displayable("一只猫") == "[3 CJK characters: no font here]"
    assert page_text.to_displayable("A cat") == "A cat"


def test_missing_fonts_leave_a_picture_in_ascii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, "_CJK_FONTS", "_LATIN_FONTS")
    assert page_text.to_displayable("Café 一只") == "Caf? ??"
    assert drawn("Café 一只").size == (512, 512)


def test_pillow_without_freetype_finds_no_font(monkeypatch: pytest.MonkeyPatch) -> None:
    def truetype(*_: object, **__: object) -> None:
        raise ImportError("The _imagingft C module is not installed")

    monkeypatch.setattr(ImageFont, "truetype", truetype)
    assert page_text._find_font.__wrapped__(("any.ttf", "other.ttf")) is None


@pytest.mark.parametrize("text", [LONG, "x" * 400, "一只猫坐在墙上" * 40, "", "   "])
def test_fit_text_keeps_to_its_lines(text: str) -> None:
    lines, letters = page_text.fit_text(text, 32, 300, 3)
    assert 1 <= len(lines) <= 3
    assert all(page_text.measure(line, letters) <= 300 for line in lines)
    assert lines[-1].endswith(" ...") == (len(text.strip()) > 100)


def test_fit_text_keeps_words_whole() -> None:
    lines, _ = page_text.fit_text("A cat on the grass", 20, 150, 4)
    assert " ".join(lines) == "A cat on the grass"
