"""Requests to validate."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.catalog import MODELS
from seedream_api.errors import Charge, InvalidRequest
from seedream_api.service.request import Request
from seedream_api.service.validation import (
    ValidatedRequest,
    validate_request,
)


def check(model: str = "Seedream-4.5", prompt: str = "a cat", **wish: Any) -> ValidatedRequest:
    return validate_request(Request(model=model, prompt=prompt, **wish), MODELS)


def refusal(**wish: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check(**wish)
    assert caught.value.charge is Charge.NONE and caught.value.exit_code == 2
    return caught.value


def says(error: InvalidRequest, *parts: object) -> bool:
    """Whether the message names all of this in both languages."""
    return all(str(part) in error.message(lang) for part in parts for lang in ("en", "zh"))
