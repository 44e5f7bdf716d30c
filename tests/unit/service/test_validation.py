"""Our own checks: everything the service would refuse is refused before it, by name."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from seedream_api.catalog import MODELS
from seedream_api.config.settings import load_settings
from seedream_api.errors import InvalidRequest
from seedream_api.service.references import UrlReference
from seedream_api.service.request import Request
from seedream_api.service.validation import (
    validate_reference_urls,
)
from support.validation_kit import check, refusal, says


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


@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
def test_empty_prompt_is_refused(prompt: str) -> None:
    assert says(refusal(prompt=prompt), "prompt")


@pytest.mark.parametrize("prompt", ["\ud83d", "a cat \udc00", "\ude00\ud83d"])
def test_lone_surrogate_is_refused(prompt: str) -> None:
    error = refusal(prompt=prompt)
    assert error.key == "value_malformed" and error.values["field"] == "prompt"
    assert str(error).encode() and json.dumps(error.to_record()).encode()
    assert check(prompt="\U0001f600 一只猫").request.prompt == "\U0001f600 一只猫"


@pytest.mark.parametrize("model", ["", "seedream-4.5", "Seedream-4", "Seedream-9"])
def test_unknown_model_is_refused_with_known_ones(model: str) -> None:
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
def test_unsupported_value_names_field_and_allowed_values(
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
def test_field_of_the_other_family_is_refused(model: str, field: str, value: Any) -> None:
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
