"""What is asked and what came back: requests (exact) and tasks (as read from any known shape)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

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

from ..catalog import Family, Model
from ..errors import InvalidRequest
from ..messages import Text
from .references import PictureReference, UrlReference

if TYPE_CHECKING:
    from .responses import ServiceResponse

_FIELD_TYPES = {
    "n": Text("whole_number"),
    "seed": Text("whole_number"),
    "watermark": Text("true_or_false"),
    "references": Text("list_of_references"),
}


class Request(BaseModel):
    """One wish for images, before it is checked against the catalogue.

    A field left at ``None`` takes its model's default. Fields that the model does not have must
    stay ``None``: ``n``, ``quality`` and ``prompt_priority`` are Evolink's, ``watermark`` and
    ``output_format`` are Preferential's.

    Raises:
        InvalidRequest: a value has the wrong type, or a field is not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: StrictStr
    prompt: StrictStr
    size: StrictStr | None = None
    """Preferential: a tier (2K, 4K). Evolink: an aspect ratio."""
    quality: StrictStr | None = None
    """Evolink: the tier (1K, 2K, 4K)."""
    n: StrictInt | None = None
    """Evolink: at most so many images, 1-15."""
    prompt_priority: StrictStr | None = None
    output_format: StrictStr | None = None
    """Preferential: png or jpeg; ``None`` leaves the choice to the service."""
    watermark: StrictBool | None = None
    seed: StrictInt = 0
    """Not sent: the service has none. It tells apart requests that are otherwise equal."""
    references: tuple[InstanceOf[UrlReference] | InstanceOf[PictureReference], ...] = Field(
        default=(), repr=False
    )

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise _invalid(error) from None

    def body(self, model: Model, reference_urls: tuple[str, ...]) -> dict[str, Any]:
        """The JSON body for ``model``, in the field order of the main page."""
        values: dict[str, Any] = {
            "model": model.id,
            "prompt": self.prompt,
            "size": self.size or model.default_size,
        }
        if model.family is Family.PREFERENTIAL:
            # The model's own default puts a watermark in: an explicit boolean is always sent.
            values["watermark"] = bool(self.watermark)
            if self.output_format is not None:
                values["output_format"] = self.output_format
        else:
            values["quality"] = self.quality or model.default_quality
            values["n"] = 1 if self.n is None else self.n
            values["prompt_priority"] = self.prompt_priority or "standard"
        if reference_urls:
            values[model.reference_field] = list(reference_urls)
        return {name: values[name] for name in model.fields if name in values}

    def asked_images(self) -> int:
        """The most images this request can be charged for."""
        return 1 if self.n is None else self.n


def _invalid(error: ValidationError) -> InvalidRequest:
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


class TaskStatus(str, Enum):
    """Where a task stands, whatever word the service used for it."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """A word that no source knows: polling goes on to the deadline."""

    @property
    def is_terminal(self) -> bool:
        return self in (TaskStatus.COMPLETED, TaskStatus.FAILED)


@dataclass(frozen=True)
class ServiceError:
    """An error that the service itself stated, in its words; any part may be empty.

    Only ``service_errors.py`` makes one, and only from what a response says: it is what a refusal
    or a failed task is decided by. What our own reader cannot read is :class:`Unreadable`.
    """

    message: str
    code: str = ""
    type: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.message or self.code or self.type)

    def __str__(self) -> str:
        label = self.code or self.type
        if self.message and label and label not in self.message:
            return f"{self.message} ({label})"
        return self.message or label or "no reason given"


NO_ERROR = ServiceError("")


@dataclass(frozen=True)
class Unreadable:
    """Why our reader finds no image in an entry. It says nothing about what the service did."""

    reason: str


@dataclass(frozen=True)
class ResultItem:
    """One entry of a response at its place in the group.

    It has an address, the image's bytes, or both; else the error that the service gave for it, or
    what our reader could not read.
    """

    position: int
    url: str | None = None
    data: bytes | None = field(default=None, repr=False)
    error: ServiceError | None = None
    problem: Unreadable | None = None

    @property
    def was_made(self) -> bool:
        return self.url is not None or self.data is not None


@dataclass(frozen=True)
class Task:
    """A task as one look at it showed."""

    id: str
    status: TaskStatus
    raw_status: str
    """The service's own word for the status."""
    progress: float | None = None
    """Percent, 0-100, or ``None`` where the service gives none."""
    items: tuple[ResultItem, ...] = ()
    error: ServiceError | None = None
    response: ServiceResponse | None = field(default=None, repr=False, compare=False)
    """The response it was read from; kept beside the row where no image can be read from it."""

    @property
    def has_images(self) -> bool:
        return any(item.was_made for item in self.items)
