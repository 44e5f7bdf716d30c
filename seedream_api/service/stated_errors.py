"""Parse the errors that the service states, in any of the shapes that relays use."""

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
"""Words that state the absence of an error."""
_WARNING = re.compile(r"\s*(?:warn(?:ing)?|notice|info|deprecat\w*|警告|提示)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_HTML = re.compile(r"<(?:!doctype|html|head|body|title|h1|center)\b", re.IGNORECASE)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
MAX_QUOTED = 500
_MAX_NESTING = 8
"""Levels of objects and lists around an error that are read."""


@dataclass(frozen=True)
class ServiceError:
    """An error as the service stated it; any part may be empty.

    Only this module creates one, and only from a response, because it decides whether a request
    was refused or a task failed. An entry that cannot be read is :class:`Unreadable` instead.
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
    """Convert a text or an integer to text; anything else to the empty text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def find_text(record: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the first non-empty text of these fields."""
    return next((text for name in names if (text := to_text(record.get(name)))), "")


def parse_error(body: Any) -> ServiceError | None:
    """Parse the error that an object states; ``None`` if it states none or success."""
    if not isinstance(body, dict):
        return None
    body = cast("dict[str, Any]", body)
    for name in ("error", "errors", "err", "Error"):
        error = _parse_stated(body.get(name), body, _MAX_NESTING)
        if error is not None:
            return error
    for name in _REASON_FIELDS:
        reason = to_quotable(to_text(body.get(name)))
        if not _is_fine(reason):
            return ServiceError(reason, find_text(body, _CODE_FIELDS))
    if body.get("success") is False or to_text(body.get("success")).lower() == "false":
        return _build_flag_error(body, "success: false")
    return None


def _build_flag_error(body: dict[str, Any], flag: str) -> ServiceError:
    """Build the error for a flag such as ``success: false`` from the message next to it."""
    message, code = find_text(body, _MESSAGE_FIELDS), find_text(body, _CODE_FIELDS)
    return ServiceError(to_quotable(message) or ("" if code else flag), code)


def is_fine(error: ServiceError) -> bool:
    """Return whether code, type and message state success or nothing."""
    return _is_fine(error.code) and _is_fine(error.message) and _is_fine(error.type)


def find_fallback_error(body: Any) -> ServiceError:
    """Find code and message in a body of any shape that is known to be a refusal; may be empty."""
    if isinstance(body, list):
        first = next(iter(cast("list[Any]", body)), None)
        first = None if isinstance(first, list) else first
        return parse_error(first) or find_fallback_error(first)
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body)
        message = find_text(body, _MESSAGE_FIELDS)
        if not message and isinstance(body.get("detail"), (dict, list)):
            return _parse_stated(body["detail"], {}, _MAX_NESTING) or ServiceError(
                "", find_text(body, _CODE_FIELDS)
            )
        return ServiceError(
            to_quotable(message), find_text(body, _CODE_FIELDS), find_text(body, ("type",))
        )
    return ServiceError(to_quotable(body)) if isinstance(body, str) else ServiceError("")


def parse_redirect(location: str) -> ServiceError:
    """Build the error for a redirect, whose message is its target."""
    return ServiceError(location.strip()[:MAX_QUOTED])


def to_quotable(text: str) -> str:
    """Convert a text to one that can be quoted; an HTML page becomes its title."""
    if _HTML.search(text[:5_000]) or text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        text = html.unescape(_TAG.sub(" ", title[2])) if title else ""
    if _BINARY.search(text[:MAX_QUOTED]):
        return ""
    return " ".join(text.split())[:MAX_QUOTED]


def _parse_stated(error: Any, around: dict[str, Any], depth: int) -> ServiceError | None:
    if isinstance(error, (list, dict)) and depth == 0:
        return None
    if isinstance(error, list):
        stated = (_parse_stated(each, around, depth - 1) for each in cast("list[Any]", error))
        return next((each for each in stated if each is not None), None)
    if isinstance(error, dict):
        return _parse_object(cast("dict[str, Any]", error), depth)
    if error is True:
        return _build_flag_error(around, "error: true")
    text = to_quotable(to_text(error))
    if _is_fine(text) or _WARNING.match(text):
        return None
    if text.isdigit():  # a bare number is a code
        return ServiceError(find_text(around, _MESSAGE_FIELDS), text)
    return ServiceError(text, find_text(around, _CODE_FIELDS))


def _parse_object(error: dict[str, Any], depth: int) -> ServiceError | None:
    inner = error.get("error")
    if isinstance(inner, (dict, list)):  # wrapped twice
        return _parse_stated(inner, error, depth - 1)
    code, kind = find_text(error, _CODE_FIELDS), find_text(error, ("type", "status", "name"))
    message = to_quotable(find_text(error, _MESSAGE_FIELDS))
    if _is_fine(message) and _is_fine(kind) and _is_fine(code):
        return None
    if code and _is_fine(code) and _is_fine(kind):
        return None
    if _WARNING.match(kind) or (not code and not kind and _WARNING.match(message)):
        return None
    return ServiceError(message, code, kind)


def _is_fine(text: str) -> bool:
    return text.strip().strip(".!。！").lower() in _FINE
