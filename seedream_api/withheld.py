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

from .redaction import HIDDEN

_LIKE_DATA = re.compile(r"[A-Za-z0-9+/=_-]*")
"""Letters of which base64 is made: such a text may stand in an image by chance."""


def without_texts(text: str, hidden: Iterable[str]) -> str:
    """``text`` without the hidden texts, however JSON spells them."""
    for each in sorted(filter(None, hidden), key=len, reverse=True):
        quoted = _LIKE_DATA.fullmatch(each) is not None
        for spelled in _spellings(each):
            if quoted:
                text = text.replace(f'"{spelled}"', f'"{HIDDEN}"')
                text = text.replace(f'\\"{spelled}\\"', f'\\"{HIDDEN}\\"')
            else:
                text = text.replace(spelled, HIDDEN)
    return text


def without_texts_in(value: Any, hidden: tuple[str, ...]) -> Any:
    """A JSON value whose texts hold none of the hidden ones."""
    if isinstance(value, str):
        return HIDDEN if value in hidden else without_texts(value, hidden)
    if isinstance(value, dict):
        texts = cast("dict[str, Any]", value)
        return {name: without_texts_in(each, hidden) for name, each in texts.items()}
    return value


def _spellings(text: str) -> list[str]:
    """A text as it stands in prose, in JSON, and in JSON inside JSON."""
    found = {text}
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        found |= {once, twice, once.replace("/", "\\/"), once.replace("&", "\\u0026")}
    return sorted(found, key=len, reverse=True)
