"""Takes texts that must not be written down out of what the service said.

A service may repeat a request in its response or its error: the signed URLs of reference
images, and the prompt, which is not stored where SEEDREAM_STORE_PROMPTS is off. Addresses and data
of result images stay as they are: they are what the response is kept for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from ..redaction import REDACTED

_PROMPT = re.compile(rb'(\\{0,7}"\w{0,30}prompt\w{0,30}\\{0,7}"\s{0,9}:\s{0,9})(\\{0,7})"')
_LIKE_DATA = re.compile(r"[A-Za-z0-9+/=_-]*")
"""Letters of which base64 is made: such a text may stand in an image by chance."""


def hide_texts(text: str, hidden: Iterable[str]) -> str:
    """``text`` without the hidden texts, however JSON spells them."""
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
    """A JSON value whose texts hold none of the hidden ones."""
    if isinstance(value, str):
        return REDACTED if value in hidden else hide_texts(value, hidden)
    if isinstance(value, dict):
        texts = cast("dict[str, Any]", value)
        return {name: hide_texts_in(each, hidden) for name, each in texts.items()}
    return value


def _spellings(text: str) -> list[str]:
    """A text as it stands in prose, in JSON, and in JSON inside JSON."""
    found = {text}
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        found |= {once, twice, once.replace("/", "\\/"), once.replace("&", "\\u0026")}
    return sorted(found, key=len, reverse=True)


def hide_prompts(data: bytes) -> bytes:
    """JSON without the values of fields like ``prompt`` and ``revised_prompt``."""
    kept, end = bytearray(), 0
    for match in _PROMPT.finditer(data):
        if match.start() >= end:
            kept += data[end : match.end()] + REDACTED.encode()
            end = _end_of_text(data, match.end(), len(match[2]))
    return bytes(kept + data[end:])


def _end_of_text(data: bytes, start: int, escapes: int) -> int:
    """Where the text ends whose opening quote stood behind so many backslashes.

    JSON inside JSON doubles them: 0, 1, 3, 7. A quote ends the text if as many stand before it,
    beside those of whole escaped backslashes. A text that was cut has no end.
    """
    at = data.find(b'"', start)
    while at >= 0:
        before = data[max(start, at - 64) : at]
        run = len(before) - len(before.rstrip(b"\\"))
        if run % (2 * (escapes + 1)) == escapes:
            return at - escapes
        at = data.find(b'"', at + 1)
    return len(data)
