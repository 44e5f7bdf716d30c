"""Remove secrets and control characters from text that people, logs or histories will see."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_SCHEME = r"\b[a-z][a-z0-9+.-]{1,20}://"
# The last @ counts: a password may contain any letter, a slash or another @. The bounds keep the
# time linear in the length of the text.
_WITH_USER = re.compile(rf"({_SCHEME})(\S{{0,2000}})@(\S*)", re.IGNORECASE)
# A port that is not a number is a password, which a blank may separate from its host.
_CUT_USER = re.compile(
    rf"({_SCHEME})[^\s/@:\[\]]{{0,200}}:[^\s/@:]{{0,200}}[^\s\d/@:?#,;.)][^\s@]{{0,200}}"
    r"[ \t][^\n@]{0,200}@",
    re.IGNORECASE,
)
_URL = re.compile(rf"{_SCHEME}[^\s\"'<>，。）】]+", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[\w.+/=;-]{0,200};base64,[A-Za-z0-9+/=_%-]+", re.IGNORECASE)
_TOKEN = re.compile(r"\b(?:sk|ak)-[A-Za-z0-9_-]{6,}")
_WHOLE_KEY = re.compile(r"\b(?:sk|ak)-[A-Za-z0-9_-]{16,}")
_BEARER = re.compile(r"(Bearer\s+)\S+", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?", re.IGNORECASE)

# Terminals obey these (ECMA-48), and text that runs backwards can hide the target of a link.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])"
    r"[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

REDACTED = "***"
SHORTEST_SECRET = 6
"""Characters. A shorter value may be an ordinary word, and would black out ordinary text."""

_known: set[str] = set()
_lock = threading.Lock()


def keep_secret(texts: Iterable[str]) -> None:
    """Hide these texts in everything that :func:`redact` and :func:`clean` return from now on."""
    found = {text for text in texts if len(text) >= SHORTEST_SECRET}
    spellings = found | {quote(text, safe="") for text in found} | {unquote(text) for text in found}
    spellings |= {text.replace("/", "\\/") for text in found}  # as PHP writes JSON
    with _lock:
        _known.update(text for text in spellings if len(text) >= SHORTEST_SECRET)


def hide_known(text: str) -> str:
    """Remove the secrets that the settings of this process hold."""
    with _lock:
        secrets = sorted(_known, key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def holds_key(text: str) -> bool:
    """Whether something in ``text`` has the form of a whole key."""
    return _WHOLE_KEY.search(text) is not None


def strip_url_secrets(url: str) -> str:
    """Strip user information, query and fragment, where signatures travel, from an image's URL."""
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if _PLAIN_HOST.fullmatch(authority):  # an @ further on is part of the path: photo@2x.png
        return f"{scheme}://{_without_query(rest)}"
    return bare_address(url)


def bare_address(address: str) -> str:
    """Strip what may be a password from the address of a proxy or a host.

    Everything up to the last ``@`` may be one. If that ``@`` follows a ``/``, ``?`` or ``#``, it
    belongs to a password or to a signed query; then only the scheme is kept.
    """
    scheme, mark, rest = address.partition("://")
    if not mark:
        return REDACTED if "@" in address else _without_query(address)
    before, at, host = rest.rpartition("@")
    if at and re.search(r"[/?#]", before):
        return f"{scheme}://{REDACTED}"
    try:
        parts = urlsplit(f"{scheme}://{host}")
        _ = parts.port  # anything but a number may be a password without its host
    except ValueError:
        return REDACTED
    return _without_query(urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")))


def _without_query(text: str) -> str:
    bare, mark, _ = text.partition("#")[0].partition("?")
    return f"{bare}?{REDACTED}" if mark else bare


def plain(text: str) -> str:
    """Remove escape codes, control characters and marks that change the writing direction."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def clean(text: str) -> str:
    """Remove control characters and the secrets of the settings; URLs stay whole."""
    return hide_known(plain(text))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Remove control characters, secrets, signatures of URLs and data URIs.

    The secrets are the given ones, those of the settings, and anything in the form of a key.
    """
    text = plain(text)
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    text = hide_known(text)
    text = _DATA_URI.sub("data:…", text)
    text = _CUT_USER.sub(rf"\1{REDACTED} ", text)
    text = _WITH_USER.sub(_without_user, text)
    text = _URL.sub(lambda match: bare_address(match.group()), text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    return _TOKEN.sub(REDACTED, text)


def _without_user(match: re.Match[str]) -> str:
    scheme, before, after = match.groups()
    return f"{scheme}{REDACTED}" if re.search(r"[/?#]", before) else f"{scheme}{after}"


class Hidden(dict[str, Any]):
    """A mapping that may hold secrets: tracebacks that show locals contain only its names."""

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Hidden:
        """Copy a mapping, unless it is hidden already."""
        return mapping if isinstance(mapping, Hidden) else cls(mapping)

    def __repr__(self) -> str:
        return f"{{{', '.join(self)}}}"

    __str__ = __repr__


class HiddenTexts(tuple[str, ...]):
    """Secret texts: tracebacks that show locals contain none of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return REDACTED
