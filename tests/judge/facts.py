"""What the author of a response knows about it; the verdict is derived from these facts alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast


class Fault(Enum):
    """What kind of error a response states."""

    PLAIN = "an error in the service's words, no number that means a gateway"
    RELAY_WORDS = "balance or key, in words or a number, without a code of the relay"
    BEFORE_FORWARDING = "a code that the relay gives before it forwards a request"
    NO_CHANNEL = "no channel for this model"
    TROUBLE = "a code of the relay for trouble with its upstream"
    WARNING = "words beside a result that only warn"
    GATEWAY_NUMBER = "an embedded number 408 or 5xx"


@dataclass(frozen=True)
class Facts:
    """What a document states.

    Args:
        images: pictures in a form that is documented or was seen: they have to be delivered.
        odd_images: pictures in a form that is only plausible: never free, perhaps delivered.
        task_id: a task id in a form that is documented or was seen: it has to be polled.
        odd_id: a task id in a form that is only plausible.
        unreadable: result entries that carry nothing a reader can use.
        strange: such entries that hold something all the same: perhaps an image that was made.
        entry_errors: result entries that carry the service's error.
        is_in_odd_place: whether entries are unreadable only because of the place they are in.
        word: the status word; ``None`` where there is none.
        is_running: an id beside a word that says that the task runs, perhaps with first images.
        is_text: not JSON at all.
    """

    images: tuple[int, ...] = ()
    odd_images: tuple[int, ...] = ()
    task_id: str | None = None
    odd_id: bool = False
    unreadable: bool = False
    strange: bool = False
    entry_errors: bool = False
    is_in_odd_place: bool = False
    fault: Fault | None = None
    word: str | None = None
    is_running: bool = False
    is_text: bool = False

    @property
    def has_image(self) -> bool:
        return bool(self.images or self.odd_images)

    @property
    def has_id(self) -> bool:
        return self.task_id is not None or self.odd_id

    @property
    def is_only_error(self) -> bool:
        """An error of the service, and nothing that may be a result."""
        return not (self.has_image or self.has_id or self.unreadable) and self.fault is not None


@dataclass(frozen=True)
class Content:
    """A document and what its author knows about it."""

    document: Any
    facts: Facts = field(default_factory=Facts)

    @property
    def fields(self) -> dict[str, Any] | None:
        """The document's fields, where it is an object."""
        return as_object(self.document)


def as_object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
