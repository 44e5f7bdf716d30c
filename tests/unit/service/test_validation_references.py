"""References, doubted values and task ids."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from seedream_api.catalog import MODELS
from seedream_api.errors import InvalidRequest, UnsafeURL
from seedream_api.service.references import PictureReference, UrlReference
from seedream_api.service.validation import (
    validate_reference_size,
    validate_task_id,
)
from support.validation_kit import check, refusal, says

URL = "https://example.com/ref.png"


def urls(count: int) -> tuple[UrlReference, ...]:
    return tuple(UrlReference(f"{URL}?{i}") for i in range(count))


def picture(width: int, height: int) -> PictureReference:
    return PictureReference("image_1, frame 1", width, height)


# ---- references ----


def test_fourteen_references_pass_and_fifteen_do_not() -> None:
    for model in MODELS:
        assert check(model, references=urls(14))
        assert says(refusal(model=model, references=urls(15)), 15, 14)


@given(references=st.integers(0, 14), n=st.integers(1, 15))
def test_references_and_results_are_fifteen_together(references: int, n: int) -> None:
    if references + n <= 15:
        assert check(n=n, references=urls(references)).request.n == n
    else:
        error = refusal(n=n, references=urls(references))
        assert error.key == "references_and_results"
        assert says(error, references, n, references + n, 15, 15 - references)


@pytest.mark.parametrize(
    ("width", "height", "key"),
    [
        (14, 100, "reference_too_small"),
        (100, 14, "reference_too_small"),
        (0, 0, "reference_too_small"),
        (15, 15, None),
        (15, 240, None),
        (15, 241, "reference_ratio"),
        (241, 15, "reference_ratio"),
        (6000, 6000, None),
        (6001, 6000, "reference_too_large"),
        (24_000, 1_500, None),
        (24_001, 1_501, "reference_too_large"),
    ],
)
def test_image_out_of_bounds_is_refused_with_position(
    width: int, height: int, key: str | None
) -> None:
    references = (UrlReference(URL), picture(64, 64), picture(width, height))
    if key is None:
        assert check(references=references)
    else:
        error = refusal(references=references)
        assert error.key == key and says(error, 3, width, height, error.values["allowed"])


@given(width=st.integers(1, 100_000), height=st.integers(1, 100_000))
def test_reference_passes_only_within_all_bounds(width: int, height: int) -> None:
    fine = (
        min(width, height) >= 15
        and max(width, height) <= 16 * min(width, height)
        and width * height <= 36_000_000
    )
    try:
        validate_reference_size(1, width, height)
    except InvalidRequest:
        assert not fine
    else:
        assert fine


@pytest.mark.parametrize(
    "url",
    ["", "ref.png", "/ref.png", "ftp://example.com/a", "file:///a", "data:image/png;base64,A"],
)
def test_reference_other_than_a_web_url_is_refused(url: str) -> None:
    error = refusal(references=(UrlReference(URL), UrlReference(url)))
    assert error.key == "url_not_http"
    assert "image_urls" in str(error) and "https://example.com/picture.png" in str(error)


def test_reference_url_with_password_is_refused_and_hidden() -> None:
    error = refusal(references=(UrlReference("https://user:hunter2@example.com/a.png"),))
    assert isinstance(error, UnsafeURL) and "hunter2" not in str(error)


# ---- what is doubted is sent, with a note ----


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"quality": "1K"}, "quality = 1K"),
        ({"prompt_priority": "fast"}, "prompt_priority = fast"),
        ({"model": "Seedream-4.5-Preferential", "output_format": "png"}, "output_format = png"),
        ({"prompt": "x" * 2001}, "2001 characters"),
        ({"references": urls(11)}, "11 references"),
    ],
)
def test_doubted_value_gives_one_note_and_no_error(wish: dict[str, Any], words: str) -> None:
    (note,) = check(**wish).notes
    assert words in note and "http" in note


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"quality": "4K"},
        {"model": "Seedream-4.0", "quality": "1K", "prompt_priority": "fast"},
        {"model": "Seedream-5.0-Lite-Preferential", "output_format": "png"},
        {"prompt": "x" * 2000},
        {"references": urls(10)},
    ],
)
def test_confirmed_fields_give_no_note(wish: dict[str, Any]) -> None:
    assert check(**wish).notes == ()


def test_several_doubts_give_several_notes() -> None:
    assert len(check(quality="1K", prompt_priority="fast", references=urls(12)).notes) == 3


# ---- task ids ----


@pytest.mark.parametrize(
    "text", ["task-xxxxxxxxxxxx", "task-unified-1757156493-imcg5zqt", "12", "a.b_c:d-E", "x" * 200]
)
def test_task_id_is_taken_with_blanks_around_it(text: str) -> None:
    assert validate_task_id(f"  {text}\n") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        ".",
        "..",
        "a b",
        "a/b",
        "../x",
        "task\n2",
        "任务",
        "a?b",
        "a%2Fb",
        "x" * 201,
        '"t"',
        "a\x00",
    ],
)
def test_malformed_task_id_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        validate_task_id(text)
    assert caught.value.key == "task_id_malformed" and says(caught.value, "task_id", 200)
    assert len(str(caught.value)) < 1_200


@given(st.text(max_size=250))
def test_task_id_that_passes_needs_no_quoting_in_a_path(text: str) -> None:
    try:
        task_id = validate_task_id(text)
    except InvalidRequest:
        return
    assert task_id and len(task_id) <= 200
    assert all(c.isascii() and (c.isalnum() or c in "._:-") for c in task_id)
