"""The one spelling of a key, of the service's address and of a proxy."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..messages import Text
from ..network.hosts import canonical_host, is_local_host
from ..network.proxies import parse_proxy
from ..redaction import bare_address

SANDBOX = "sandbox"
"""The word that as an address means the built-in sandbox."""


def checked_key(text: str) -> str:
    """The key as it is.

    Raises:
        ConfigurationError: it holds what no key and no HTTP header may hold.
    """
    if not is_header_safe(text):
        raise ConfigurationError("bad_key")
    return text


def is_header_safe(text: str) -> bool:
    """Tell whether a text holds only what keys and HTTP headers may hold."""
    return text.isascii() and text.isprintable() and not _NOT_OF_KEYS.intersection(text)


_NOT_OF_KEYS = frozenset(" \"'`<>(){}[]*,;\\")
"""What a key is copied with by accident, and the asterisks of one that is shown in part."""


def parse_address(text: str) -> str | ConfigurationError:
    """Give the address in its one spelling, or the error: no http(s) address, one with more than
    host, port and path, or plain http to another machine, where a key would travel in the clear.
    """
    if text.lower() == SANDBOX:
        return SANDBOX
    shown = bare_address(text)
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = canonical_host(parts.hostname or "")
    except ValueError:
        scheme, port, host, parts = "", None, "", None
    if parts is None:
        return _bad_address(shown, Text("unparsable"))
    reason = None
    if scheme not in ("http", "https") or not host:
        reason = Text("not_http_url")
    elif "@" in parts.netloc:
        reason = Text("has_user_name")
    elif parts.query or parts.fragment:
        reason = Text("has_query")
    elif scheme == "http" and not is_local_host(host):
        reason = Text("key_in_clear")
    if reason:
        return _bad_address(shown, reason)
    literal = f"[{host}]" if ":" in host else host
    is_default = port in (None, 443 if scheme == "https" else 80)
    netloc = literal if is_default else f"{literal}:{port}"
    # Both spellings are met in guides; the paths of the service begin with /v1 themselves.
    path = re.sub("/+", "/", parts.path).rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{scheme}://{netloc}{path}"


def _bad_address(shown: str, reason: str) -> ConfigurationError:
    return ConfigurationError("bad_address", given=shown, reason=reason)


@lru_cache(maxsize=64)
def spell_recorded_address(text: str) -> str:
    """Spell the address of a ledger row as the settings spell it now; an unreadable one stays.

    Version 0.1 wrote the host and port as they were typed: ``localhost``, ``:443``, a final dot.
    """
    # A row's address has lost its /v1 already, and a second one belongs to the path.
    found = text if text == SANDBOX else parse_address(f"{text}/v1")
    return text if isinstance(found, ConfigurationError) else found


def checked_address(text: str) -> str:
    """Give the address in its one spelling.

    Raises:
        ConfigurationError: see :func:`parse_address`.
    """
    return _or_raise(parse_address(text))


def checked_proxy(text: str) -> str:
    """Give the proxy in its one spelling.

    Raises:
        ConfigurationError: see :func:`proxies.parse_proxy`.
    """
    return _or_raise(parse_proxy(text))


def _or_raise(found: str | ConfigurationError) -> str:
    if isinstance(found, ConfigurationError):
        raise found
    return found
