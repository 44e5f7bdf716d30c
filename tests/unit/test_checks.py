"""Our own checks: everything the service would refuse is refused before it, by name."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from seedream_api.catalog import MODELS
from seedream_api.config.settings import load_settings
from seedream_api.errors import Charge, InvalidRequest, UnsafeURL
from seedream_api.service.references import PictureReference, UrlReference
from seedream_api.service.request import Request
from seedream_api.service.validation import (
    ValidatedRequest,
    validate_reference_size,
    validate_reference_urls,
    validate_request,
    validate_task_id,
)

URL = "https://example.com/ref.png"


def check(model: str = "Seedream-4.5", prompt: str = "a cat", **wish: Any) -> ValidatedRequest:
    return validate_request(Request(model=model, prompt=prompt, **wish), MODELS)


def refusal(**wish: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check(**wish)
    assert caught.value.charge is Charge.NONE and caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("url", "environ", "is_refused"),
    [
        ("http://127.0.0.1/a.png", {}, True),
        ("http://localhost:8188/view?filename=a.png", {}, True),
        ("https://192.168.1.9/a.png", {}, True),
        ("https://[fd00::1]/a.png", {}, True),
        ("https://[::ffff:10.0.0.1]/a.png", {}, True),
        ("https://nas/a.png", {}, True),
        ("https://nas.local/a.png", {}, True),
        ("https://example.com/a.png", {}, False),
        ("https://nas.local/a.png", {"SEEDREAM_ALLOW_HOSTS": "nas.local"}, False),
        ("https://nas.local/a.png", {"DEEPSPACE_BASE_URL": "https://10.0.0.7"}, False),
        ("https://nas.local/a.png", {"DEEPSPACE_BASE_URL": "sandbox"}, False),
    ],
)
def test_reference_on_private_host_is_refused(
    home: Path, url: str, environ: dict[str, str], is_refused: bool
) -> None:
    settings = load_settings(environ={"SEEDREAM_HOME": str(home), **environ})
    request = Request(model="Seedream-4.0", prompt="A cat", references=(UrlReference(url),))
    with pytest.raises(InvalidRequest) if is_refused else contextlib.nullcontext() as caught:
        validate_reference_urls(request.references, settings)
    assert caught is None or caught.value.key == "reference_private"


def urls(count: int) -> tuple[UrlReference, ...]:
    return tuple(UrlReference(f"{URL}?{i}") for i in range(count))


def picture(width: int, height: int) -> PictureReference:
    return PictureReference("image_1, frame 1", width, height)


def says(error: InvalidRequest, *parts: object) -> bool:
    """Whether the message names all of this in both languages."""
    return all(str(part) in error.message(lang) for part in parts for lang in ("en", "zh"))


@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    assert says(refusal(prompt=prompt), "prompt")


@pytest.mark.parametrize("prompt", ["\ud83d", "a cat \udc00", "\ude00\ud83d"])
def test_half_a_character_is_refused_before_anything_chokes_on_it(prompt: str) -> None:
    error = refusal(prompt=prompt)
    assert error.key == "value_malformed" and error.values["field"] == "prompt"
    assert str(error).encode() and json.dumps(error.to_record()).encode()
    assert check(prompt="\U0001f600 一只猫").request.prompt == "\U0001f600 一只猫"


@pytest.mark.parametrize("model", ["", "seedream-4.5", "Seedream-4", "Seedream-9"])
def test_an_unknown_model_is_refused_and_the_known_ones_are_named(model: str) -> None:
    error = refusal(model=model)
    assert error.key == "model_unknown" and says(error, "model", repr(model), *MODELS)


@pytest.mark.parametrize(
    ("model", "field", "value", "allowed"),
    [
        ("Seedream-4.5", "size", "2K", "16:9"),
        ("Seedream-4.5", "size", "16:10", "9:21"),
        ("Seedream-4.5", "size", "2048x2048", "auto"),
        ("Seedream-4.5", "size", "", "1:1"),
        ("Seedream-4.5", "quality", "3K", "1K, 2K, 4K"),
        ("Seedream-4.5", "quality", "2k", "1K, 2K, 4K"),
        ("Seedream-4.5", "prompt_priority", "slow", "standard, fast"),
        ("Seedream-4.5", "n", 0, "1-15"),
        ("Seedream-4.5", "n", 16, "1-15"),
        ("Seedream-4.5", "n", -1, "1-15"),
        ("Seedream-4.5-Preferential", "size", "1K", "2K, 4K"),
        ("Seedream-4.5-Preferential", "size", "16:9", "2K, 4K"),
        ("Seedream-4.5-Preferential", "output_format", "webp", "png, jpeg"),
        ("Seedream-4.5-Preferential", "output_format", "auto", "png, jpeg"),
    ],
)
def test_a_value_that_a_model_does_not_take_names_field_value_and_what_it_takes(
    model: str, field: str, value: Any, allowed: str
) -> None:
    error = refusal(model=model, **{field: value})
    assert error.key == "value_not_allowed" and says(error, field, repr(value), model, allowed)


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("Seedream-4.5-Preferential", "n", 1),
        ("Seedream-4.5-Preferential", "quality", "2K"),
        ("Seedream-4.5-Preferential", "prompt_priority", "standard"),
        ("Seedream-4.0", "watermark", False),
        ("Seedream-4.0", "output_format", "png"),
    ],
)
def test_a_field_of_the_other_family_is_refused(model: str, field: str, value: Any) -> None:
    error = refusal(model=model, **{field: value})
    assert error.key == "field_not_of_model"
    assert says(error, field, repr(value), model, *MODELS[model].fields)


def test_every_value_that_the_catalogue_allows_passes() -> None:
    for model in MODELS.values():
        for size in model.sizes:
            for quality in model.qualities or (None,):
                assert check(model.id, size=size, quality=quality).model is model
        for priority in model.prompt_priorities:
            assert check(model.id, prompt_priority=priority)
        for output_format in model.output_formats:
            assert check(model.id, output_format=output_format, watermark=True)


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
def test_a_picture_outside_the_services_bounds_is_refused_with_place_and_size(
    width: int, height: int, key: str | None
) -> None:
    references = (UrlReference(URL), picture(64, 64), picture(width, height))
    if key is None:
        assert check(references=references)
    else:
        error = refusal(references=references)
        assert error.key == key and says(error, 3, width, height, error.values["allowed"])


@given(width=st.integers(1, 100_000), height=st.integers(1, 100_000))
def test_what_passes_is_within_all_three_bounds_and_nothing_else_passes(
    width: int, height: int
) -> None:
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
def test_a_reference_that_is_no_web_address_is_refused(url: str) -> None:
    error = refusal(references=(UrlReference(URL), UrlReference(url)))
    assert error.key == "url_not_http"
    assert "image_urls" in str(error) and "https://example.com/picture.png" in str(error)


def test_a_reference_with_a_password_in_it_is_refused_without_showing_it() -> None:
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
def test_a_doubted_value_gives_one_note_and_no_error(wish: dict[str, Any], words: str) -> None:
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
def test_what_nobody_doubts_gives_no_note(wish: dict[str, Any]) -> None:
    assert check(**wish).notes == ()


def test_several_doubts_give_several_notes() -> None:
    assert len(check(quality="1K", prompt_priority="fast", references=urls(12)).notes) == 3


# ---- task ids ----


@pytest.mark.parametrize(
    "text", ["task-xxxxxxxxxxxx", "task-unified-1757156493-imcg5zqt", "12", "a.b_c:d-E", "x" * 200]
)
def test_a_task_id_is_taken_with_blanks_around_it(text: str) -> None:
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
def test_a_malformed_task_id_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        validate_task_id(text)
    assert caught.value.key == "task_id_malformed" and says(caught.value, "task_id", 200)
    assert len(str(caught.value)) < 1_200


@given(st.text(max_size=250))
def test_a_task_id_that_passes_needs_no_quoting_in_a_path(text: str) -> None:
    try:
        task_id = validate_task_id(text)
    except InvalidRequest:
        return
    assert task_id and len(task_id) <= 200
    assert all(c.isascii() and (c.isalnum() or c in "._:-") for c in task_id)
