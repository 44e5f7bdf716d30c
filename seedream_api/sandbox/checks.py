"""What may be sent: the body of a generation request, field by field, as the main page lists it.

Stricter than a relay, which drops what it does not know: a client that sends a wrong field should
hear of it here and not in production.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..catalog import (
    MAX_REFERENCES,
    MAX_REFERENCES_AND_RESULTS,
    NOTED_PROMPT_LENGTH,
    PIXELS,
    Family,
    Model,
)
from .replies import invalid_parameter, relay_refusal
from .wishes import images_asked, ratio_asked


@dataclass(frozen=True)
class Order:
    """A generation request that passed all checks but those of its reference images."""

    model: Model
    prompt: str
    tier: str
    """1K, 2K, 4K: a key of `PIXELS`."""
    ratio: str
    """A key of `PIXELS[tier]`, never ``auto``."""
    count: int
    """Images that the service will make: the asked number, within ``n``."""
    references: tuple[str, ...]
    output_format: str
    """jpeg or png: what comes, which is not always what was asked for."""
    watermark: bool


def model_of(body: Any, models: Mapping[str, Model]) -> Model:
    """The model that the body names, and a prompt beside it: what a relay itself reads.

    Raises:
        Refusal: 400 for a body that is no object, or without model or prompt; 503 for a model
            that no channel serves (new-api's answer to an unknown model).
    """
    if not isinstance(body, dict):
        raise relay_refusal(
            400, "invalid request: body must be a JSON object", code="invalid_request"
        )
    fields = cast("dict[str, Any]", body)
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise relay_refusal(400, "未指定模型名称，模型名称不能为空", code="invalid_request")
    if name not in models:
        message = f"No available channel for model {name} under group default (distributor)"
        raise relay_refusal(503, message, code="model_not_found")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise relay_refusal(400, "prompt is required", code="invalid_request")
    return models[name]


def check_fields(body: Mapping[str, Any], model: Model, *, strict: bool) -> Order:
    """Check every field against the catalogue, and read the prompt's wishes.

    ``strict`` adds what a neighbouring source doubts: `Model.doubted`, and the prompt's length.

    Raises:
        Refusal: 400 in Ark's form, naming the field.
    """
    for name, value in body.items():
        if name not in model.fields:
            raise invalid_parameter(name, f"unknown field for model {model.id}")
        _TYPES[name](name, value)
    for name, allowed in _lists(model).items():
        if name in body:
            _check_listed(name, body[name], allowed, model, strict)
    prompt: str = body["prompt"]
    if strict and len(prompt) > NOTED_PROMPT_LENGTH.value:
        raise invalid_parameter("prompt", f"longer than {NOTED_PROMPT_LENGTH.value} characters")
    references = tuple(body.get(model.reference_field, ()))
    n = _check_numbers(body.get("n", 1), len(references), model)
    return _order(body, model, prompt, references, n)


def _order(
    body: Mapping[str, Any], model: Model, prompt: str, references: tuple[str, ...], n: int
) -> Order:
    shape = "auto"
    if model.family is Family.PREFERENTIAL:
        tier = body.get("size", model.default_size)
    else:
        tier = body.get("quality", model.default_quality)
        shape = body.get("size", shape)
    if shape == "auto":
        shape = ratio_asked(prompt, PIXELS[tier])
    output_format = body.get("output_format", "jpeg")
    if output_format in model.doubted.get("output_format", {}):
        output_format = "jpeg"  # Ark gives JPEG whatever is asked for.
    return Order(
        model=model,
        prompt=prompt,
        tier=tier,
        ratio=shape,
        count=min(n, images_asked(prompt)),
        references=references,
        output_format=output_format,
        # Ark marks by default; the Evolink family has no such field and marks nothing.
        watermark=body.get("watermark", "watermark" in model.fields),
    )


def _lists(model: Model) -> dict[str, tuple[str, ...]]:
    return {
        "size": model.sizes,
        "quality": model.qualities,
        "prompt_priority": model.prompt_priorities,
        "output_format": model.output_formats,
    }


def _check_listed(
    name: str, value: str, allowed: tuple[str, ...], model: Model, strict: bool
) -> None:
    if value not in allowed:
        raise invalid_parameter(name, f"must be one of {', '.join(allowed)}")
    doubt = model.doubted.get(name, {}).get(value)
    if strict and doubt:
        raise invalid_parameter(name, f"{value} is not supported by {model.id}: {doubt}")


def _check_numbers(n: int, references: int, model: Model) -> int:
    if not 1 <= n <= model.max_results:
        raise invalid_parameter("n", f"must be from 1 to {model.max_results}")
    if references > MAX_REFERENCES.value:
        reason = f"at most {MAX_REFERENCES.value} reference images, not {references}"
        raise invalid_parameter(model.reference_field, reason)
    if references + n > MAX_REFERENCES_AND_RESULTS.value:
        most = MAX_REFERENCES_AND_RESULTS.value
        reason = f"{references} reference images and n={n} are more than {most} together"
        raise invalid_parameter("n", reason)
    return n


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise invalid_parameter(name, "must be a string")


def _whole_number(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_parameter(name, "must be an integer")


def _switch(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise invalid_parameter(name, "must be a boolean")


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise invalid_parameter(name, "must be an array of strings")
    for place, item in enumerate(cast("list[Any]", value)):
        _text(f"{name}[{place}]", item)


_TYPES: Mapping[str, Callable[[str, Any], None]] = {
    "model": _text,
    "prompt": _text,
    "size": _text,
    "quality": _text,
    "n": _whole_number,
    "image": _texts,
    "image_urls": _texts,
    "prompt_priority": _text,
    "watermark": _switch,
    "output_format": _text,
}
