"""Validate a request before anything is recorded or sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..catalog import (
    CHOICES,
    MAX_REFERENCE_PIXELS,
    MAX_REFERENCE_RATIO,
    MAX_REFERENCES_AND_RESULTS,
    MIN_REFERENCE_SIDE,
    NOTED_PROMPT_LENGTH,
    NOTED_REFERENCES,
    Model,
    parse_image_count,
)
from ..errors import InvalidRequest
from ..messages import Text
from ..network.url_guard import FetchPolicy, check_url, is_private_host
from ..redaction import strip_url_secrets
from .references import Reference, UrlReference
from .request import Request

if TYPE_CHECKING:
    from ..config.settings import Settings

_OPTIONAL_FIELDS = (*CHOICES, "n", "watermark")
MAX_TASK_ID_LENGTH = 200
_TASK_ID_MARKS = frozenset("._:-")


@dataclass(frozen=True)
class ValidatedRequest:
    """A request that may be sent, its model, and notes on values that some documentation doubts."""

    request: Request
    model: Model
    notes: tuple[str, ...]


def validate_request(request: Request, models: Mapping[str, Model]) -> ValidatedRequest:
    """Check every value against the catalogue.

    Args:
        models: the known models by id.

    Raises:
        InvalidRequest: a value is not allowed; the error states the field and its allowed values.
    """
    model = models.get(request.model)
    if model is None:
        raise InvalidRequest("model_unknown", given=request.model, allowed=", ".join(models))
    if not request.prompt.strip():
        raise InvalidRequest("prompt_empty")
    _check_encodable(request.prompt)
    _check_fields(request, model)
    _check_count(request, model)
    for position, reference in enumerate(request.references, start=1):
        if isinstance(reference, UrlReference):
            check_url(reference.url, field="image_urls")
        else:
            validate_reference_size(position, reference.width, reference.height)
    return ValidatedRequest(request, model, _build_notes(request, model))


def validate_reference_urls(references: Sequence[Reference], settings: Settings) -> None:
    """Check that the service can fetch the references that are URLs.

    A service on a private host may reach private hosts, as may URLs whose host is listed in
    ``SEEDREAM_ALLOW_HOSTS``.

    Raises:
        InvalidRequest: a URL is on a private host.
    """
    service = urlsplit(settings.address).hostname or ""
    if settings.is_sandbox or is_private_host(service):
        return
    policy = FetchPolicy(allowed_hosts=settings.allowed_hosts)
    for position, reference in enumerate(references, start=1):
        if not isinstance(reference, UrlReference):
            continue
        url = check_url(reference.url, field="image_urls")
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if is_private_host(host) and not policy.allows(host, port):
            raise InvalidRequest(
                "reference_private", position=position, given=strip_url_secrets(url), host=host
            )


def _check_encodable(prompt: str) -> None:
    """Refuse a lone surrogate, which neither the request's body nor the ledger can hold."""
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            "value_malformed",
            field="prompt",
            given=prompt[error.start : error.end],
            reason=_explain_unencodable(prompt[error.start], error.start + 1),
            allowed=Text("a_text"),
        ) from None


def _explain_unencodable(character: str, position: int) -> str:
    if "\udc80" <= character <= "\udcff":  # os.fsdecode maps undecodable bytes to these
        return Text("undecodable_argument")
    return Text("incomplete_character", place=position)


def _check_fields(request: Request, model: Model) -> None:
    for name in _OPTIONAL_FIELDS:
        value = getattr(request, name)
        if value is None:
            continue
        if name not in model.fields or name in model.extra:
            raise InvalidRequest(
                "field_not_of_model",
                field=name,
                given=value,
                model=model.id,
                allowed=", ".join(model.fields),
            )
        if name in CHOICES:
            allowed = model.allowed_values(name)
            if value not in allowed:
                raise InvalidRequest(
                    "value_not_allowed",
                    field=name,
                    given=value,
                    model=model.id,
                    allowed=", ".join(allowed),
                )


def _check_count(request: Request, model: Model) -> None:
    if request.n is not None and not 1 <= request.n <= model.max_results:
        raise InvalidRequest(
            "value_not_allowed",
            field="n",
            given=request.n,
            model=model.id,
            allowed=f"1-{model.max_results}",
        )
    references = len(request.references)
    if references > model.max_references:
        raise InvalidRequest(
            "too_many_references", given=references, model=model.id, allowed=model.max_references
        )
    total = references + request.asked_images()
    if total > MAX_REFERENCES_AND_RESULTS.value:
        raise InvalidRequest(
            "references_and_results",
            references=references,
            n=request.asked_images(),
            given=total,
            allowed=MAX_REFERENCES_AND_RESULTS.value,
            most=MAX_REFERENCES_AND_RESULTS.value - references,
        )


def validate_reference_size(position: int, width: int, height: int) -> None:
    """Check the dimensions of one reference image.

    A side that is too long is allowed, because the image is scaled down before it is sent.

    Args:
        position: its position among the references, from 1.
        width, height: in pixels.

    Raises:
        InvalidRequest: the image is too small, too large or too narrow for the service.
    """
    size: dict[str, Any] = {"position": position, "width": width, "height": height}
    if min(width, height) < MIN_REFERENCE_SIDE.value:
        raise InvalidRequest("reference_too_small", allowed=MIN_REFERENCE_SIDE.value, **size)
    if max(width, height) > MAX_REFERENCE_RATIO.value * min(width, height):
        raise InvalidRequest("reference_ratio", allowed=MAX_REFERENCE_RATIO.value, **size)
    if width * height > MAX_REFERENCE_PIXELS.value:
        raise InvalidRequest(
            "reference_too_large",
            given=width * height,
            allowed=MAX_REFERENCE_PIXELS.value,
            **size,
        )


def _build_notes(request: Request, model: Model) -> tuple[str, ...]:
    notes: list[str] = []
    for name in CHOICES:
        value = getattr(request, name)
        if value is None and name == "quality":
            value = model.default_quality
        doubt = model.doubted.get(name, {}).get(str(value))
        if doubt:
            notes.append(Text("doubted", field=name, value=value, doubt=doubt))
    if request.asked_images() > 1 and parse_image_count(request.prompt) == 1:
        notes.append(Text("prompt_asks_for_one", n=request.asked_images()))
    if len(request.prompt) > NOTED_PROMPT_LENGTH.value:
        notes.append(
            Text(
                "prompt_long",
                count=len(request.prompt),
                limit=NOTED_PROMPT_LENGTH.value,
                source=NOTED_PROMPT_LENGTH.source,
            )
        )
    if len(request.references) > NOTED_REFERENCES.value:
        notes.append(
            Text(
                "references_many",
                count=len(request.references),
                limit=NOTED_REFERENCES.value,
                source=NOTED_REFERENCES.source,
            )
        )
    return tuple(notes)


def validate_task_id(text: str) -> str:
    """Check a task id that a user entered; return it without surrounding blanks.

    Raises:
        InvalidRequest: the id is malformed.
    """
    task_id = text.strip()
    # Without a letter or digit it may be "." or "..", which are path segments.
    is_valid = any(c.isalnum() for c in task_id) and task_id.isascii()
    is_valid = is_valid and len(task_id) <= MAX_TASK_ID_LENGTH
    if not is_valid or not all(c.isalnum() or c in _TASK_ID_MARKS for c in task_id):
        raise InvalidRequest("task_id_malformed", given=task_id[:MAX_TASK_ID_LENGTH])
    return task_id
