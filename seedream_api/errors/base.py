"""The base of all errors: a key of the messages, values, and what it says about money."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from ..messages import CHARGE_TEXT, MESSAGES, Text, bilingual, join_sentences, rewrite, to_chinese
from ..redaction import clean


class Charge(str, Enum):
    """Whether money was spent, as far as can be known."""

    NONE = "none"
    POSSIBLE = "possible"
    RUNNING = "running"
    MADE = "made"
    PAID = "paid"
    """Charged, and an image of it is not here."""


_NOT_GIVEN = {"entry": "ID", "lasting": ""}
"""Shown for values that a sentence names and the error does not have (yet)."""


class SeedreamError(Exception):
    """The base of all errors of this package.

    Args:
        key: the message's key in ``messages.MESSAGES``.
        charge: overrides what the class says about money.
        task_id: the service's task, where one is known.
        request_id: the relay's id of the call, for its support.
        values: for the message's templates; of an error among them, summary and hint are shown.
    """

    charge: Charge = Charge.NONE
    retry_after_s: float | None = None
    """Seconds that the service asked to wait before the next attempt, where it said so."""
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
        super().__init__()
        self.key: str = key
        self.values: dict[str, Any] = {name: _cleaned(value) for name, value in values.items()}
        self.task_id: str | None = _cleaned(task_id)
        self.request_id: str | None = _cleaned(request_id)
        if charge is not None:
            self.charge = charge

    def __str__(self) -> str:
        """The message in both languages, unless a host has put its own into ``args``."""
        return self.args[0] if self.args else f"{self.message('en')}\n{self.message('zh')}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    @property
    def reason(self) -> str:
        """Why, where the message says it: a text, or the words of the service or the system."""
        value = self.values.get("reason", "")
        if isinstance(value, SeedreamError):
            return value.summary_text
        return value if isinstance(value, str) else str(value)

    @property
    def code(self) -> str:
        """The service's code of the error, such as ``insufficient_user_quota``; may be empty."""
        return str(self.values.get("code") or "").removeprefix(", ")

    @property
    def http_status(self) -> int | None:
        """The HTTP status of the response that caused the error; ``None`` without one."""
        value = self.values.get("http")
        return int(value) if value else None

    @property
    def field(self) -> str | None:
        """The field of the request, or the argument, that has the rejected value."""
        value = self.values.get("field")
        return None if value is None else str(value)

    @property
    def given(self) -> Any:
        """The rejected value, where the message quotes one."""
        return self.values.get("given")

    @property
    def may_have_been_charged(self) -> bool:
        """Whether money may have been spent."""
        return self.charge is not Charge.NONE

    @property
    def summary_text(self) -> Text:
        """What happened, in both languages."""
        return bilingual(self.summary("en"), self.summary("zh"))

    @property
    def message_text(self) -> Text:
        """The whole message, in both languages."""
        return bilingual(self.message("en"), self.message("zh"))

    def message(self, language: str) -> str:
        """The whole message in ``en`` or ``zh``: what happened, the charge, the hint."""
        charge = CHARGE_TEXT[self.charge.value][0 if language == "en" else 1]
        return join_sentences((self.summary(language), charge, self.hint(language)), language)

    def summary(self, language: str) -> str:
        """What happened: the first part of the message."""
        message = MESSAGES[self.key]
        said = (message.en if language == "en" else message.zh).format(**self._values(language))
        # A reason that is a sentence brings its own full stop.
        return said[:-2] + said[-1] if said[-2:] in ("..", "。。", ".。") else said

    def hint(self, language: str) -> str:
        """What to do next; may be empty."""
        message = MESSAGES[self.key]
        hint = message.hint_en if language == "en" else message.hint_zh
        return hint.format(**self._values(language))

    def with_charge(self, charge: Charge, task_id: str | None = None) -> SeedreamError:
        """Add what the caller knows about money and the task."""
        self.charge, self.task_id = charge, task_id or self.task_id
        return self

    def to_record(self) -> dict[str, Any]:
        """Build the JSON form for :func:`from_record`; ``NAME_zh`` is the Chinese of ``NAME``."""
        values = {name: _plain(value) for name, value in self.values.items()}
        for name, value in self.values.items():
            if isinstance(value, (Text, SeedreamError)):
                values[f"{name}_zh"] = str(_localized(value, "zh", with_hint=False))
        return {
            "type": type(self).__name__,
            "key": self.key,
            "charge": self.charge.value,
            "task_id": self.task_id,
            "request_id": self.request_id,
            "values": values,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy what the error holds; its message alone cannot rebuild it."""
        values = {
            name: value if isinstance(value, (Text, SeedreamError)) else _plain(value)
            for name, value in self.values.items()
        }
        return _new, (type(self), self.args), {**vars(self), "values": values}

    def _values(self, language: str) -> dict[str, Any]:
        known = {"task_id": self.task_id, "request_id": self.request_id}
        values = {**_NOT_GIVEN, **known, **self.values}
        return {name: _localized(value, language) for name, value in values.items()}


def _new(error_type: type[SeedreamError], args: tuple[Any, ...]) -> SeedreamError:
    error = error_type.__new__(error_type, *args)
    error.args = args  # an OSError leaves them to its __init__
    return error


def _localized(value: Any, language: str, *, with_hint: bool = True) -> Any:
    """A value as it is shown in a sentence."""
    if isinstance(value, SeedreamError):
        parts = (value.summary(language), value.hint(language) if with_hint else "")
        return join_sentences(parts, language)
    return to_chinese(value) if language == "zh" else value


def _cleaned(value: Any) -> Any:
    return rewrite(value, clean) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, SeedreamError):
        return value.summary("en")
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return clean(str(value))
