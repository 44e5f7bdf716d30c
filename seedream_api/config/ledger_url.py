"""The address of a ledger that several machines share, and the secrets in it."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import ConfigurationError

_SCHEMES = ("postgresql", "postgres")
_SECRET_PARAMETERS = ("password", "sslpassword")
_HOST = re.compile(r"(?:[^\[\]:]*|\[[^\]]*\])(?::\d*)?")


def parse_ledger_url(text: str) -> str | ConfigurationError:
    """Check the address, or return the error, which does not show the address."""
    try:
        is_valid = _is_valid(urlsplit(text))
    except ValueError:
        is_valid = False
    if not is_valid or not text.isprintable() or " " in text:
        return ConfigurationError("bad_ledger_url")
    return text


def _is_valid(parts: SplitResult) -> bool:
    """Tell whether every part is where it belongs.

    A password with a bare ``/``, ``?`` or ``#`` ends in the path or the port, where nothing would
    hide it.
    """
    behind = f"{parts.path}{parts.query}{parts.fragment}"
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return (
        parts.scheme in _SCHEMES
        and bool(parts.netloc or parts.query)
        and not parts.fragment
        and "@" not in behind
        and all(map(_HOST.fullmatch, hosts))
    )


def list_ledger_secrets(url: str) -> tuple[str, ...]:
    """List the passwords in the address, as written and as PostgreSQL decodes them."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    login = parts.netloc.rpartition("@")[0]
    pairs = [pair.partition("=") for pair in parts.query.split("&")]
    more = [text for name, _, text in pairs if unquote(name) in _SECRET_PARAMETERS]
    written = [login.partition(":")[2], *more]
    return tuple(dict.fromkeys(text for one in written for text in (one, unquote(one)) if text))
