"""Validate the body of a generation request, field by field, against the service's main page.

Stricter than a relay, which drops unknown fields: a wrong field should fail here rather than in
production.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..catalog import (
    CHOICES,
    MAX_REFERENCES_AND_RESULTS,
    NOTED_PROMPT_LENGTH,
    PIXELS,
    Family,
    Model,
    parse_image_count,
)
from .exchange import invalid_parameter, relay_refusal
from .prompt_parsing import parse_ratio


@dataclass(frozen=True)
class GenerationRequest:
    """A generation request that passed all checks except those of its reference images."""

    model: Model
    prompt: str
    tier: str
    """1K, 2K, 4K, another tier or pixels; see `compute_pixels`."""
    ratio: str
    """An aspect ratio, never ``auto``."""
    count: int
    """Images that the service will make: what the prompt asks for, at most ``n``."""
    references: tuple[str, ...]
    output_format: str
    """jpeg or png: the format of the results, which may differ from the requested one."""
    watermark: bool
    is_transparent: bool
    """Whether everything around the subject is left out: ``background: transparent`` (Ark)."""


def find_model(body: Any, models: Mapping[str, Model]) -> Model:
    """Return the model that the body names; also requires a prompt, as a relay does.

    Raises:
        Refusal: 400 for a body that is not an object, or without model or prompt; 503 for an
            unknown model, as new-api does.
    """
    if not isinstance(body, dict):
        raise relay_refusal(
            400, "invalid request: body must be a JSON object", code="invalid_request"
        )
    fields = cast("dict[str, Any]", body)
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise relay_refusal(400, "未指定模型名称，模型名称不能为空", code="invalid_request")
    sold = [model for model in models.values() if model.sent_id == name]
    if not sold:
        message = f"No available channel for model {name} under group default (distributor)"
        raise relay_refusal(503, message, code="model_not_found")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise relay_refusal(400, "prompt is required", code="invalid_request")
    # Of entries that differ in ``extra`` alone, take the one whose fields the body has.
    same = [model for model in sold if model.extra.items() <= fields.items()]
    return max(same or sold, key=lambda model: len(model.extra))


def parse_fields(body: Mapping[str, Any], model: Model, *, strict: bool) -> GenerationRequest:
    """Check every field against the catalogue and read what the prompt asks for.

    ``strict`` also rejects what other documents do not confirm: `Model.doubted` and long prompts.

    Raises:
        Refusal: 400 in Ark's form, naming the field.
    """
    for name, value in body.items():
        if name not in model.fields:
            raise invalid_parameter(name, f"unknown field for model {model.id}")
        if name in model.extra:
            continue
        _check_type(name, value)
        _check_choice(name, value, model, strict)
    prompt: str = body["prompt"]
    if strict and len(prompt) > NOTED_PROMPT_LENGTH.value:
        raise invalid_parameter("prompt", f"longer than {NOTED_PROMPT_LENGTH.value} characters")
    references = tuple(body.get(model.reference_field, ()))
    limit = _check_counts(body.get("n", 1), len(references), model)
    tier, ratio = _choose_size(body, model, prompt)
    output_format = body.get("output_format", "jpeg")
    is_transparent = body.get("background") == "transparent"
    if is_transparent and output_format != "png":
        raise invalid_parameter("background", "transparent needs output_format png")
    return GenerationRequest(
        model=model,
        prompt=prompt,
        tier=tier,
        ratio=ratio,
        count=min(limit, parse_image_count(prompt)),
        references=references,
        # Ark returns JPEG for the formats that it does not support.
        output_format="jpeg" if _is_doubted(model, "output_format", output_format)
        else output_format,
        # Ark marks images by default; the Evolink family has no such field and no mark.
        watermark=body.get("watermark", "watermark" in model.fields),
        is_transparent=is_transparent,
    )  # fmt: skip


def _choose_size(body: Mapping[str, Any], model: Model, prompt: str) -> tuple[str, str]:
    ratio = "auto"
    if model.family is Family.PREFERENTIAL:
        tier = body.get("size", model.default_size)
    else:
        tier = body.get("quality", model.default_quality)
        ratio = body.get("size", ratio)
    return tier, parse_ratio(prompt, PIXELS["2K"]) if ratio == "auto" else ratio


def _check_choice(name: str, value: Any, model: Model, strict: bool) -> None:
    if name not in CHOICES:
        return
    allowed = model.allowed_values(name)
    if value not in allowed:
        raise invalid_parameter(name, f"must be one of {', '.join(allowed)}")
    if strict and _is_doubted(model, name, value):
        doubt = model.doubted[name][value]
        raise invalid_parameter(name, f"{value} is not supported by {model.id}: {doubt}")


def _is_doubted(model: Model, name: str, value: str) -> bool:
    return value in model.doubted.get(name, {})


def _check_counts(n: int, references: int, model: Model) -> int:
    if not 1 <= n <= model.max_results:
        raise invalid_parameter("n", f"must be from 1 to {model.max_results}")
    if references > model.max_references:
        reason = f"at most {model.max_references} reference images, not {references}"
        raise invalid_parameter(model.reference_field, reason)
    most = MAX_REFERENCES_AND_RESULTS.value
    if references + n > most:
        reason = f"{references} reference images and n={n} are more than {most} together"
        raise invalid_parameter("n", reason)
    return n


def _check_type(name: str, value: Any) -> None:
    if name in ("image", "image_urls"):
        if not isinstance(value, list):
            raise invalid_parameter(name, "must be an array of strings")
        for index, item in enumerate(cast("list[Any]", value)):
            if not isinstance(item, str):
                raise invalid_parameter(f"{name}[{index}]", "must be a string")
        return
    wanted, words = _TYPES.get(name, (str, "a string"))
    if type(value) is not wanted:  # A boolean is not an integer here.
        raise invalid_parameter(name, f"must be {words}")


_TYPES = {"n": (int, "an integer"), "watermark": (bool, "a boolean")}
