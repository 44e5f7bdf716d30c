"""Takes secrets out of text that people, logs or histories will see."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"(?:https?|socks5h?)://[^\s\"'<>，。）】]+", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[\w.+/=;-]{0,200};base64,[A-Za-z0-9+/=_%-]+", re.IGNORECASE)
_TOKEN = re.compile(r"\b(?:sk|ak)-[A-Za-z0-9_-]{6,}")
_BEARER = re.compile(r"(Bearer\s+)\S+", re.IGNORECASE)

HIDDEN = "***"


def bare_url(url: str) -> str:
    """The URL without user information, query and fragment: where signatures travel."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        bare = urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return HIDDEN
    return f"{bare}?{HIDDEN}" if parts.query else bare


def scrub(text: str, secrets: tuple[str, ...] = ()) -> str:
    """``text`` without the given secrets, anything shaped like a key, signed URLs and data URIs."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _DATA_URI.sub("data:…", text)
    text = _URL.sub(lambda match: bare_url(match.group()), text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _TOKEN.sub(HIDDEN, text)
