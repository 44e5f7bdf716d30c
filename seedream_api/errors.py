"""Everything that can go wrong, as one hierarchy::

    SeedreamError                    .charge  .task_id  .request_id  .status  .exit_code
    ├─ ConfigurationError            no key, bad address, bad setting          (nothing sent)
    ├─ InvalidRequest                refused by our own checks                 (nothing sent)
    │  └─ UnsafeURL                  an address that may not be fetched
    ├─ UploadFailed                  a reference image did not travel          (nothing sent)
    ├─ LedgerFailed                  the record or the store cannot be written
    ├─ TransportFailed
    │  ├─ NotSent                    surely never delivered
    │  ├─ OutcomeUnknown             sent, and no readable answer: may have been charged
    │  └─ ReadFailed                 a free request (poll, download) that got no usable answer
    ├─ ApiRefused                    the service said no: not charged
    │  ├─ AuthenticationFailed  InsufficientBalance  ContentRejected  NotFound
    │  └─ RateLimited  ServiceBusy
    ├─ TaskFailed                    the service gave the task up: not charged
    │  └─ PartialResult              some images of a group failed, and SEEDREAM_PARTIAL is fail
    ├─ TaskNotFound                  the service no longer knows the task
    ├─ WaitTimedOut                  the task still runs
    ├─ CompletedWithoutImages        finished, nothing to fetch: may have been charged
    ├─ ResultUnavailable             an image could not be fetched or read
    └─ Interrupted                   the session was closed, or a host's words for Cancel

A cancellation is no error of this package: it stays ``asyncio.CancelledError``, with a note.

Every message says what happened, whether money was spent, and what to do next, in English and then
in Chinese. The sentences live in ``messages/``; an error is its class, a key there, and values.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from .messages import MONEY, WORDING, chinese, joined
from .redaction import clean

if TYPE_CHECKING:
    from .kept_response import KeptResponse


class Charge(str, Enum):
    """Whether money was spent, as far as can be known."""

    NONE = "none"
    POSSIBLE = "possible"
    RUNNING = "running"
    MADE = "made"
    PAID = "paid"
    """Charged, and an image of it is not here."""


class SeedreamError(Exception):
    """The base of all errors of this package.

    Args:
        key: the message's key in ``messages.WORDING``.
        charge: overrides what the class says about money.
        task_id: the service's task, where one is known.
        request_id: the relay's id of the refused call, for its support.
        values: what the message's templates name; an error among them is told in its own words.
    """

    charge: Charge = Charge.NONE
    status: ClassVar[str] = "error"
    """The command line's word for it in ``--json``."""
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        key: str,
        *,
        charge: Charge | None = None,
        task_id: str | None = None,
        request_id: str | None = None,
        **values: Any,
    ) -> None:
        self.key = key
        self.values = {name: _cleaned(value) for name, value in values.items()}
        self.task_id = _cleaned(task_id)
        self.request_id = _cleaned(request_id)
        if charge is not None:
            self.charge = charge
        super().__init__(f"{self.message('en')}\n{self.message('zh')}")

    @property
    def may_have_been_charged(self) -> bool:
        return self.charge is not Charge.NONE

    def message(self, language: str) -> str:
        """The whole message in ``en`` or ``zh``: what happened, the money, the advice."""
        money = MONEY[self.charge.value][0 if language == "en" else 1]
        return joined((self.summary(language), money, self.hint(language)), language)

    def summary(self, language: str) -> str:
        """The first part of the message alone."""
        wording = WORDING[self.key]
        said = (wording.en if language == "en" else wording.zh).format(**self._values(language))
        # A reason that is a sentence brings its own full stop.
        return said[:-2] + said[-1] if said[-2:] in ("..", "。。", ".。") else said

    def hint(self, language: str) -> str:
        """What to do next; may be empty."""
        wording = WORDING[self.key]
        advice = wording.advice_en if language == "en" else wording.advice_zh
        return advice.format(**self._values(language))

    def with_charge(self, charge: Charge, task_id: str | None = None) -> SeedreamError:
        """This error, told by one who knows which money and which task hang on it."""
        self.charge, self.task_id = charge, task_id or self.task_id
        self.args = (f"{self.message('en')}\n{self.message('zh')}",)
        return self

    def to_record(self) -> dict[str, Any]:
        """A JSON form from which :func:`from_record` makes the same error again."""
        return {
            "type": type(self).__name__,
            "key": self.key,
            "charge": self.charge.value,
            "task_id": self.task_id,
            "request_id": self.request_id,
            "values": {name: _plain(value) for name, value in self.values.items()},
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy what the error holds; its message alone cannot rebuild it.

        A type of this module goes by its name: a host may import the module by any name.
        """
        known = type(self)
        name = known.__name__ if _error_type(known.__name__) is known else known
        values = {
            name: value if isinstance(value, SeedreamError) else _plain(value)
            for name, value in self.values.items()
        }
        return _rebuilt, (name, self.args), {**vars(self), "values": values}

    def _values(self, language: str) -> dict[str, Any]:
        values = {"task_id": self.task_id, "request_id": self.request_id, **self.values}
        return {name: localize(name, value, language) for name, value in values.items()}


_CLAUSES = frozenset(("reason", "allowed", "origin"))
"""Values that are words of ours, and have a Chinese form."""


def localize(name: str, value: Any, language: str) -> Any:
    """A value as it stands in a sentence; an error that is the reason of another one, in words."""
    if isinstance(value, SeedreamError):
        return joined((value.summary(language), value.hint(language)), language)
    is_clause = name in _CLAUSES and language == "zh"
    return chinese(str(value)) if is_clause else value


def _cleaned(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, SeedreamError):
        return value.summary("en")
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return clean(str(value))


class ConfigurationError(SeedreamError):
    """A setting is missing or cannot work; nothing was sent."""

    exit_code = 2


class InvalidRequest(SeedreamError):
    """A value was refused by our own checks; nothing was sent."""

    exit_code = 2


class UnsafeURL(InvalidRequest):
    """An address that may not be fetched: its scheme, its spelling, or a private host."""


class UploadFailed(SeedreamError):
    """A reference image did not reach the place from where the service fetches it."""


class LedgerFailed(SeedreamError):
    """The record or the image store cannot be read or written."""


class TransportFailed(SeedreamError):
    """A request did not get a usable answer."""


class NotSent(TransportFailed):
    """No byte of the request was sent: connecting, DNS or TLS failed."""


class OutcomeUnknown(TransportFailed):
    """A paid request was sent and its outcome cannot be known. It is never sent again by itself."""

    possible_task_id: str | None = None
    """A task id that stood in what arrived of the response; a free poll may confirm it."""
    response: KeptResponse | None = None
    """What was read of the response; its bytes are kept beside the row."""

    charge = Charge.POSSIBLE
    status = "unknown"
    exit_code = 4


class ReadFailed(TransportFailed):
    """A request that costs nothing (a poll, a list) got no usable answer."""

    retry_after_s: float | None = None
    """How long the service asks to wait, where it says so."""


class ApiRefused(SeedreamError):
    """The service refused the request; nothing was charged."""

    status = "refused"
    exit_code = 3


class AuthenticationFailed(ApiRefused):
    """The key is missing, wrong, disabled, expired, or not allowed to do this."""


class InsufficientBalance(ApiRefused):
    """The account, or this key's own quota, is used up."""


class ContentRejected(ApiRefused):
    """The prompt, a reference or the result was refused by moderation."""


class NotFound(ApiRefused):
    """The model or the address is not known there."""


class RateLimited(ApiRefused):
    """Too many requests, for longer than we keep trying."""


class ServiceBusy(ApiRefused):
    """No channel of the relay serves this model for this key now."""


class TaskFailed(SeedreamError):
    """The service gave the task up; failed tasks are not charged."""

    status = "failed"
    exit_code = 3


class PartialResult(TaskFailed):
    """Some images of a group failed and ``SEEDREAM_PARTIAL`` is ``fail``; the others are stored."""

    charge = Charge.MADE


class TaskNotFound(SeedreamError):
    """The service does not know the task: expired, a typing error, or made with another key."""

    status = "failed"
    exit_code = 3


class WaitTimedOut(SeedreamError):
    """The task still runs; it can be collected later."""

    charge = Charge.RUNNING
    status = "pending"
    exit_code = 5


class CompletedWithoutImages(SeedreamError):
    """The service says completed and names no image."""

    charge = Charge.POSSIBLE
    status = "failed"
    exit_code = 3


class ResultUnavailable(SeedreamError):
    """An image could not be fetched whole, or is no readable image."""


class Interrupted(SeedreamError):
    """The session was closed while a request was waited for; or a cancellation in our words."""

    status = "interrupted"
    exit_code = 130


def _error_type(name: str) -> type[SeedreamError] | None:
    """The error class of this module with this name."""
    found: Any = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, SeedreamError) else None


def _rebuilt(error_type: str | type[SeedreamError], args: tuple[Any, ...]) -> SeedreamError:
    known = globals()[error_type] if isinstance(error_type, str) else error_type
    return known.__new__(known, *args)


def from_record(record: dict[str, Any]) -> SeedreamError:
    """The error that :meth:`SeedreamError.to_record` described; an unknown type gives the base."""
    error_type = _error_type(str(record.get("type"))) or SeedreamError
    charge = str(record.get("charge", Charge.NONE.value))
    known = charge in {each.value for each in Charge}
    key = str(record.get("key"))
    values: dict[str, Any] = dict(record.get("values") or {})
    if key not in WORDING:
        key, values = "stored_error", {"reason": key}
    kept: dict[str, Any] = {
        "charge": Charge(charge) if known else Charge.POSSIBLE,
        "task_id": record.get("task_id"),
        "request_id": record.get("request_id"),
    }
    try:
        return error_type(key, **kept, **values)
    except KeyError:  # the sentence names a value that the version of the record did not have
        return error_type("stored_error", **kept, reason=key)
