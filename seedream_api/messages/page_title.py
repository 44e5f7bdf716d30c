"""The title of a page that was sent instead of an image, without its tags."""

from __future__ import annotations

import html
import re

_LONGEST = 80
_TAG = re.compile(r"<[^>]*>")
_CHARSET = re.compile(
    # The character sets of the web; Python knows other codecs, and some are slow.
    rb"charset\s*=\s*[\"']?(gb18030|gb2312|gbk|big5|shift_jis|euc-jp|euc-kr|iso-8859-\d{1,2}"
    rb"|windows-125\d)\b",
    re.IGNORECASE,
)
_TITLES = tuple(
    re.compile(rf"<{name}(?:\s[^>]*)?>(.*?)</{name}\s*>", re.IGNORECASE | re.DOTALL)
    for name in ("title", "h1", "h2")
)
_XML_ERROR = tuple(
    re.compile(rf"<{name}>([^<]*)</{name}>", re.IGNORECASE) for name in ("code", "message")
)


def title_of(page: bytes) -> str:
    """Find the title of an HTML page, its first heading, or code and message of an XML error.

    Returns:
        One line without tags and control characters, at most 80 characters; empty where the page
        has none.
    """
    text = _decode(page)
    for pattern in _TITLES:
        for found in pattern.findall(text):
            if title := _line(found):
                return title
    parts = [_line(found[1]) for pattern in _XML_ERROR if (found := pattern.search(text))]
    return ": ".join(filter(None, parts))[:_LONGEST]


def _decode(page: bytes) -> str:
    declared = _CHARSET.search(page[:2048])
    try:
        # The known bytes may end within a character.
        return page.decode(declared[1].decode("ascii") if declared else "utf-8", "replace")
    except LookupError:
        return page.decode("utf-8", "replace")


def _line(text: str) -> str:
    # Tags are removed again after unescaping: "&lt;b&gt;" is a tag by then.
    plain = _TAG.sub(" ", html.unescape(_TAG.sub(" ", text)))
    visible = "".join(one if one.isprintable() else " " for one in plain)
    line = " ".join(visible.replace("<", " ").replace(">", " ").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
