"""The request: what the user asks for, and the JSON body that is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from ..catalog import Model
from ..errors import InvalidRequest
from ..messages import Text
from .references import PictureReference, UrlReference

_FIELD_TYPES = {
    "n": Text("whole_number"),
    "seed": Text("whole_number"),
    "watermark": Text("true_or_false"),
    "references": Text("list_of_references"),
}


class Request(BaseModel):
    """What the user asks for, before it is validated against the catalogue.

    A field that is ``None`` takes its model's default. Fields that the model does not have must
    stay ``None``: ``n``, ``quality`` and ``prompt_priority`` belong to Evolink, ``watermark`` and
    ``output_format`` to Preferential, unless an entry of ``SEEDREAM_MODELS`` says otherwise.

    Args:
        model: the id of a model, such as ``Seedream-4.5``; :data:`MODELS` lists them.
        prompt: what the image shows.
        size: Preferential: a tier, such as 2K. Evolink: an aspect ratio, such as 16:9.
        quality: Evolink: the tier, such as 2K.
        n: Evolink: the most images to make, and to be charged for, up to :data:`MAX_RESULTS`.
        prompt_priority: Evolink: how closely the prompt is followed.
        output_format: Preferential: png or jpeg; ``None`` leaves the choice to the service.
        watermark: Preferential: whether the service adds its watermark; ``None`` means no.
        seed: any whole number; it is never sent, and another one makes an equal request a new one.
        references: images to start from; how many depends on the model, and together with the
            results they are at most :data:`MAX_REFERENCES_AND_RESULTS`.

    Raises:
        InvalidRequest: a value has the wrong type, or a field is unknown.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    model: StrictStr
    prompt: StrictStr
    size: StrictStr | None = None
    """Preferential: a tier. Evolink: an aspect ratio."""
    quality: StrictStr | None = None
    """Evolink: the tier."""
    n: StrictInt | None = None
    """Evolink: the maximum number of images."""
    prompt_priority: StrictStr | None = None
    output_format: StrictStr | None = None
    """Preferential: png or jpeg; ``None`` leaves the choice to the service."""
    watermark: StrictBool | None = None
    seed: StrictInt = 0
    """Not sent, as the service has no seed; it distinguishes requests that are otherwise equal."""
    references: tuple[InstanceOf[UrlReference] | InstanceOf[PictureReference], ...] = Field(
        default=(), repr=False
    )

    if TYPE_CHECKING:  # a misspelt field is an error of the type checker, and of ours at run time

        def __init__(
            self,
            *,
            model: str,
            prompt: str,
            size: str | None = None,
            quality: str | None = None,
            n: int | None = None,
            prompt_priority: str | None = None,
            output_format: str | None = None,
            watermark: bool | None = None,
            seed: int = 0,
            references: Sequence[UrlReference | PictureReference] = (),
        ) -> None: ...

    else:

        def __init__(self, **fields: Any) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise _to_invalid_request(error) from None

    def body(self, model: Model, reference_urls: tuple[str, ...]) -> dict[str, Any]:
        """Build the JSON body for ``model``, in the field order of the service's documentation.

        Args:
            reference_urls: URLs or data URIs of the reference images.
        """
        values: dict[str, Any] = {
            "model": model.id,
            "prompt": self.prompt,
            "size": self.size or model.default_size,
            "quality": self.quality or model.default_quality,
            "n": self.asked_images(),
            model.reference_field: list(reference_urls) or None,
            # The model adds a watermark by default, so an explicit boolean is always sent.
            "watermark": bool(self.watermark),
            "prompt_priority": self.prompt_priority or next(iter(model.prompt_priorities), None),
            "output_format": self.output_format,
            **model.extra,
        }
        return {name: values[name] for name in model.fields if values[name] is not None}

    def asked_images(self) -> int:
        """Return the largest number of images that this request can be charged for."""
        return 1 if self.n is None else self.n


def _to_invalid_request(error: ValidationError) -> InvalidRequest:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][:1]) or "request"
    if first["type"] == "missing":
        reason, allowed = Text("missing"), _FIELD_TYPES.get(name, Text("a_text"))
    elif first["type"] == "extra_forbidden":
        reason, allowed = Text("no_such_field"), ", ".join(Request.model_fields)
    else:
        reason, allowed = (
            Text("wrong_type", type=type(first["input"]).__name__),
            _FIELD_TYPES.get(name, Text("a_text")),
        )
    given = first["input"] if first["type"] not in ("missing", "extra_forbidden") else None
    return InvalidRequest(
        "value_malformed", field=name, given=given, reason=reason, allowed=allowed
    )
