"""Read the errors that the service itself states, in any of the shapes that relays use.

The only module that makes a :class:`ServiceError`.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any, cast

_CODE_FIELDS = ("code", "error_code", "errcode", "err_code", "errno", "Code")
_MESSAGE_FIELDS = (
    "message", "msg", "error_message", "error_msg", "errmsg", "err_msg", "detail", "details",
    "reason", "error_description", "description", "Message", "text", "title",
)  # fmt: skip
_REASON_FIELDS = ("fail_reason", "failure_reason", "failed_reason", "error_reason", "failReason")
_FINE = frozenset({
    "", "0", "200", "ok", "success", "succeeded", "succeed", "successful", "none", "null", "nil",
    "no error", "no_error", "noerror", "normal", "false", "n/a", "na", "-", "成功", "操作成功",
    "请求成功", "无", "无错误", "正常",
})  # fmt: skip
"""Words that say that there is no error."""
_WARNING = re.compile(r"\s*(?:warn(?:ing)?|notice|info|deprecat\w*|警告|提示)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_HTML = re.compile(r"<(?:!doctype|html|head|body|title|h1|center)\b", re.IGNORECASE)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
MAX_QUOTED = 500
_MAX_NESTING = 8
"""Levels of objects and lists around an error; what lies deeper is not read."""


@dataclass(frozen=True)
class ServiceError:
    """An error that the service itself stated, in its words; any part may be empty.

    Only this module makes one, and only from what a response says: it decides about a refusal or
    a failed task. What our own reader cannot read is :class:`Unreadable`.
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


def to_text(value: Any) -> str:
    """Texts and numbers as text; anything else as absent."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def parse_error(body: Any) -> ServiceError | None:
    """The error that an object states, or ``None``; what says that all is well is no error."""
    if not isinstance(body, dict):
        return None
    body = cast("dict[str, Any]", body)
    for name in ("error", "errors", "err", "Error"):
        error = _stated(body.get(name), body, _MAX_NESTING)
        if error is not None:
            return error
    for name in _REASON_FIELDS:
        reason = quotable(to_text(body.get(name)))
        if not _is_fine(reason):
            return ServiceError(reason, _first(body, _CODE_FIELDS))
    if body.get("success") is False or to_text(body.get("success")).lower() == "false":
        return _said_beside(body, "success: false")
    return None


def _said_beside(body: dict[str, Any], flag: str) -> ServiceError:
    """The words beside a flag that alone says that it failed."""
    message, code = _first(body, _MESSAGE_FIELDS), _first(body, _CODE_FIELDS)
    return ServiceError(quotable(message) or ("" if code else flag), code)


def is_fine(said: ServiceError) -> bool:
    """Whether code and message say that all is well, or nothing."""
    return _is_fine(said.code) and _is_fine(said.message) and _is_fine(said.type)


def find_fallback_error(body: Any) -> ServiceError:
    """The words of a body that is known to be a refusal, in whatever shape; may be empty."""
    if isinstance(body, list):
        first = next(iter(cast("list[Any]", body)), None)
        first = None if isinstance(first, list) else first
        return parse_error(first) or find_fallback_error(first)
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body)
        message = _first(body, _MESSAGE_FIELDS)
        if not message and isinstance(body.get("detail"), (dict, list)):
            return _stated(body["detail"], {}, _MAX_NESTING) or ServiceError(
                "", _first(body, _CODE_FIELDS)
            )
        return ServiceError(quotable(message), _first(body, _CODE_FIELDS), _first(body, ("type",)))
    return ServiceError(quotable(body)) if isinstance(body, str) else ServiceError("")


def read_redirect(location: str) -> ServiceError:
    """What a redirect states: where else to go."""
    return ServiceError(location.strip()[:MAX_QUOTED])


def quotable(text: str) -> str:
    """A body that is text, as it is quoted: of an HTML page its title, never its tags."""
    if _HTML.search(text[:5_000]) or text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        text = html.unescape(_TAG.sub(" ", title[2])) if title else ""
    if _BINARY.search(text[:MAX_QUOTED]):
        return ""
    return " ".join(text.split())[:MAX_QUOTED]


def _stated(error: Any, around: dict[str, Any], depth: int) -> ServiceError | None:
    if isinstance(error, (list, dict)) and depth == 0:
        return None
    if isinstance(error, list):
        stated = (_stated(each, around, depth - 1) for each in cast("list[Any]", error))
        return next((each for each in stated if each is not None), None)
    if isinstance(error, dict):
        return _of_object(cast("dict[str, Any]", error), depth)
    if error is True:
        return _said_beside(around, "error: true")
    text = quotable(to_text(error))
    if _is_fine(text) or _WARNING.match(text):
        return None
    if text.isdigit():  # a number alone is a code
        return ServiceError(_first(around, _MESSAGE_FIELDS), text)
    return ServiceError(text, _first(around, _CODE_FIELDS))


def _of_object(error: dict[str, Any], depth: int) -> ServiceError | None:
    inner = error.get("error")
    if isinstance(inner, (dict, list)):  # wrapped once more
        return _stated(inner, error, depth - 1)
    code, kind = _first(error, _CODE_FIELDS), _first(error, ("type", "status", "name"))
    message = quotable(_first(error, _MESSAGE_FIELDS))
    if _is_fine(message) and _is_fine(kind) and _is_fine(code):
        return None
    if code and _is_fine(code) and _is_fine(kind):
        return None
    if _WARNING.match(kind) or (not code and not kind and _WARNING.match(message)):
        return None
    return ServiceError(message, code, kind)


def _is_fine(text: str) -> bool:
    return text.strip().strip(".!。！").lower() in _FINE


def _first(body: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := to_text(body.get(name)))), "")
