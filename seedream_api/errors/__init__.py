"""Everything that can go wrong, as one hierarchy::

    SeedreamError                    .charge  .task_id  .request_id  .code  .http_status
    │                                .field  .retry_after_s  .status  .exit_code
    ├─ ConfigurationError            no key, bad address, bad setting          (nothing sent)
    ├─ InvalidRequest                rejected by our own checks                (nothing sent)
    │  └─ UnsafeURL                  a URL that may not be fetched
    ├─ LimitReached                  a limit of spending does not allow it     (nothing sent)
    ├─ UploadFailed                  a reference image could not be uploaded   (nothing sent)
    ├─ LedgerFailed                  the ledger or the store cannot be written
    ├─ TransportFailed
    │  ├─ NotSent                    definitely never delivered
    │  ├─ OutcomeUnknown             sent, no readable response: may have been charged
    │  └─ ReadFailed                 a free request (poll, download) without a usable response
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

A cancellation stays ``asyncio.CancelledError``, with a note.

Every message says what happened, whether money was spent, and what to do next, in English and then
in Chinese. The sentences are in ``messages``; an error is its class, a key there, and values.
"""

from __future__ import annotations

from typing import Any

from ..kept_response import KeptResponse
from ..messages import MESSAGES, Text, bilingual
from .base import Charge as Charge, SeedreamError as SeedreamError


class ConfigurationError(SeedreamError):
    """A setting is missing or cannot work; nothing was sent."""

    exit_code = 2


class InvalidRequest(SeedreamError):
    """A value was rejected by our own checks; nothing was sent."""

    exit_code = 2

    @property
    def host(self) -> str:
        """The host of a URL that may not be used."""
        return str(self.values.get("host", ""))


class UnsafeURL(InvalidRequest):
    """A URL that may not be fetched: its scheme, its spelling, or a private host."""


class LimitReached(SeedreamError):
    """A limit of a run, a day or a month does not allow the request; nothing was sent."""

    exit_code = 2

    @property
    def name(self) -> str:
        """The setting of the limit."""
        return str(self.values.get("name", ""))


class UploadFailed(SeedreamError):
    """A reference image could not be uploaded."""


class LedgerFailed(SeedreamError):
    """The ledger or the image store cannot be read or written."""


class TransportFailed(SeedreamError):
    """A request did not get a usable response."""


class NotSent(TransportFailed):
    """No byte of the request was sent: connecting, DNS or TLS failed."""

    @property
    def host(self) -> str:
        """The host that could not be reached."""
        return str(self.values.get("host", ""))


class OutcomeUnknown(TransportFailed):
    """A paid request was sent; its outcome is unknown. It is never resent automatically."""

    possible_task_id: str | None = None
    """A task id found in what arrived of the response; a free poll may confirm it."""
    response: KeptResponse | None = None
    """What was received of the response; it is kept beside the row."""

    charge = Charge.POSSIBLE
    status = "unknown"
    exit_code = 4


class ReadFailed(TransportFailed):
    """A request that costs nothing (a poll, a list) got no usable response."""

    is_malformed: bool = False
    """Whether what arrived breaks the protocol, which another attempt seldom changes."""


class ApiRefused(SeedreamError):
    """The service refused the request; nothing was charged."""

    status = "refused"
    exit_code = 3

    @property
    def http_status(self) -> int:
        """The HTTP status of the response."""
        return int(self.values.get("http", 0))

    def after(self, waited_s: int) -> ApiRefused:
        """Add for how many seconds the request was retried."""
        self.values.update(waited=waited_s, lasting=Text("for_seconds", seconds=waited_s))
        return self


class AuthenticationFailed(ApiRefused):
    """The key is missing, wrong, disabled, expired, or not allowed to do this."""


class InsufficientBalance(ApiRefused):
    """The account, or this key's own quota, is used up."""


class ContentRejected(ApiRefused):
    """The prompt, a reference or the result was refused by moderation."""


class NotFound(ApiRefused):
    """The service does not know the model or the path."""


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
    """The service does not know the task: expired, mistyped, or made with another key."""

    status = "failed"
    exit_code = 3


class WaitTimedOut(SeedreamError, TimeoutError):
    """The task still runs; it can be collected later."""

    charge = Charge.RUNNING
    status = "pending"
    exit_code = 5


class CompletedWithoutImages(SeedreamError):
    """The service says completed, and its response contains no image."""

    charge = Charge.POSSIBLE
    status = "failed"
    exit_code = 3


class ResultUnavailable(SeedreamError):
    """An image could not be fetched whole, or is not a readable image."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of an image that is too large."""
        return int(self.values["width"]), int(self.values["height"])


class Interrupted(SeedreamError):
    """The session was closed during a request; or a cancellation in our words."""

    status = "interrupted"
    exit_code = 130


def _error_type(name: str) -> type[SeedreamError] | None:
    """The error class of this module with this name."""
    found: Any = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, SeedreamError) else None


def from_record(record: dict[str, Any]) -> SeedreamError:
    """Rebuild the error of :meth:`SeedreamError.to_record`; an unknown type gives the base."""
    error_type = _error_type(str(record.get("type"))) or SeedreamError
    charge = str(record.get("charge", Charge.NONE.value))
    known = charge in {each.value for each in Charge}
    key = str(record.get("key"))
    values = _texts_in(dict(record.get("values") or {}))
    if key not in MESSAGES:
        key, values = "stored_error", {"reason": key}
    error = error_type(
        key,
        charge=Charge(charge) if known else Charge.POSSIBLE,
        task_id=record.get("task_id"),
        request_id=record.get("request_id"),
        **values,
    )
    try:
        str(error)
    except KeyError:  # the sentence names a value that the version of the record did not have
        error.key, error.values = "stored_error", {"reason": key}
    return error


def _texts_in(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record, with ``NAME`` and ``NAME_zh`` as one text."""
    for name, chinese in list(values.items()):
        english = values.get(name.removesuffix("_zh"))
        if name.endswith("_zh") and isinstance(english, str) and isinstance(chinese, str):
            values[name.removesuffix("_zh")] = bilingual(english, chinese)
            del values[name]
    return values
