"""Remove texts that must not be stored from responses and errors of the service.

A service may repeat a request in its response or its error: the signed URLs of reference images,
and the prompt, which is not stored where SEEDREAM_STORE_PROMPTS is off. URLs and data of result
images stay: the response is kept for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from ..redaction import REDACTED

_PROMPT = re.compile(rb'(\\{0,7}"\w{0,30}prompt\w{0,30}\\{0,7}"\s{0,9}:\s{0,9})(\\{0,7})"')
_LIKE_DATA = re.compile(r"[A-Za-z0-9+/=_-]*")
"""A text of base64 characters alone may occur in image data by chance."""


def hide_texts(text: str, hidden: Iterable[str]) -> str:
    """Redact the hidden texts, however JSON spells them."""
    for each in sorted(filter(None, hidden), key=len, reverse=True):
        quoted = _LIKE_DATA.fullmatch(each) is not None
        for spelled in _spellings(each):
            if quoted:
                text = text.replace(f'"{spelled}"', f'"{REDACTED}"')
                text = text.replace(f'\\"{spelled}\\"', f'\\"{REDACTED}\\"')
            else:
                text = text.replace(spelled, REDACTED)
    return text


def hide_texts_in(value: Any, hidden: tuple[str, ...]) -> Any:
    """Redact the hidden texts in every string of a JSON value."""
    if isinstance(value, str):
        return REDACTED if value in hidden else hide_texts(value, hidden)
    if isinstance(value, dict):
        texts = cast("dict[str, Any]", value)
        return {name: hide_texts_in(each, hidden) for name, each in texts.items()}
    return value


def _spellings(text: str) -> list[str]:
    """List the spellings of a text: plain, in JSON, and in JSON inside JSON."""
    found = {text}
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        found |= {once, twice, once.replace("/", "\\/"), once.replace("&", "\\u0026")}
    return sorted(found, key=len, reverse=True)


def hide_prompts(data: bytes) -> bytes:
    """Redact the values of JSON fields like ``prompt`` and ``revised_prompt``."""
    kept, end = bytearray(), 0
    for match in _PROMPT.finditer(data):
        if match.start() >= end:
            kept += data[end : match.end()] + REDACTED.encode()
            end = _end_of_text(data, match.end(), len(match[2]))
    return bytes(kept + data[end:])


def _end_of_text(data: bytes, start: int, escapes: int) -> int:
    """Find the end of a JSON string whose opening quote follows this many backslashes.

    JSON inside JSON needs 0, 1, 3, 7 of them. A quote ends the string if it follows as many, not
    counting escaped backslashes. A truncated string ends with the data.
    """
    at = data.find(b'"', start)
    while at >= 0:
        before = data[max(start, at - 64) : at]
        run = len(before) - len(before.rstrip(b"\\"))
        if run % (2 * (escapes + 1)) == escapes:
            return at - escapes
        at = data.find(b'"', at + 1)
    return len(data)
