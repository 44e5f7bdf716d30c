"""Traces of images outside the fields in which results are read."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.service.stray_images import has_stray_image

URL = "https://images.example/a.png"


def nest(value: Any, levels: int, *, in_lists: bool) -> Any:
    for _ in range(levels):
        value = [value] if in_lists else {"x": value}
    return value


@pytest.mark.parametrize("text", [URL, "HTTP://A.B/c", "data:image/png;base64,AA", "<svg >"])
def test_stray_text_that_may_be_an_image_is_found(text: str) -> None:
    assert has_stray_image({"x": f"see {text}"})
    assert not has_stray_image({"x": text.replace(":", "").replace("<", "")})


def test_stray_base64_counts_from_its_least_length() -> None:
    assert has_stray_image({"x": "A" * 200}) and not has_stray_image({"x": "A" * 199})
    assert not has_stray_image({"x": "A" * 199 + "!"}) and has_stray_image({"x": "a+/=-_\n0" * 25})


def test_stray_text_too_long_to_search_counts() -> None:
    words = "no image! " * 8192
    assert has_stray_image({"x": words[: 64 * 1024 + 1]})
    assert not has_stray_image({"x": words[: 64 * 1024]})


def test_stray_mark_of_a_long_text_counts() -> None:
    assert has_stray_image({"x": ["mark"]}, {"mark"}) and not has_stray_image({"x": "mark"}, {"m"})


@pytest.mark.parametrize("in_lists", [True, False])
def test_what_is_too_deep_to_search_counts(in_lists: bool) -> None:
    assert has_stray_image(nest(URL, 11, in_lists=in_lists))
    assert has_stray_image(nest(["words"], 12, in_lists=in_lists)) is True
    assert not has_stray_image(nest(["words"], 11, in_lists=in_lists))
    assert has_stray_image(nest([], 12, in_lists=in_lists)) is False


@pytest.mark.parametrize(
    "name",
    [
        "err", "lastError", "message", "Msg", "reason", "detail", "title", "type", "instance",
        "docs", "help_url", "support", "request", "input", "params", "prompt", "references",
    ],
)  # fmt: skip
def test_stray_url_in_a_field_about_errors_is_none(name: str) -> None:
    assert not has_stray_image({name: URL, "x": {name: [URL]}})
    assert has_stray_image({"x": URL, name: "words"})


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "", "words", [], {}])
def test_other_values_hold_no_stray_image(value: Any) -> None:
    assert has_stray_image({"x": value}) is False and has_stray_image(value) is False
