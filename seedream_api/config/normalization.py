"""Check keys, and normalize the addresses of services and proxies."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..messages import Text
from ..network.hosts import is_local_host, normalize_host
from ..redaction import bare_address

SANDBOX = "sandbox"
"""The address of the built-in sandbox."""


def check_key(text: str) -> str:
    """Check a key and return it.

    Raises:
        ConfigurationError: it contains a character that a key must not have.
    """
    if not is_header_safe(text):
        raise ConfigurationError("bad_key")
    return text


def is_header_safe(text: str) -> bool:
    """Tell whether a text has only characters that keys and HTTP headers may have."""
    return text.isascii() and text.isprintable() and not _FORBIDDEN_CHARACTERS.intersection(text)


_FORBIDDEN_CHARACTERS = frozenset(" \"'`<>(){}[]*,;\\")
"""Characters that are copied with a key by mistake, and the asterisks of a masked key."""


def parse_address(text: str) -> str | ConfigurationError:
    """Normalize the address of a service, or return the error.

    Rejects anything but an http(s) address of host, port and path, and plain http to another
    machine, which would send the key unencrypted.
    """
    if text.lower() == SANDBOX:
        return SANDBOX
    shown = bare_address(text)
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = normalize_host(parts.hostname or "")
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
    # Guides use both forms; the paths of the service begin with /v1.
    path = re.sub("/+", "/", parts.path).rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{scheme}://{netloc}{path}"


def _bad_address(shown: str, reason: str) -> ConfigurationError:
    return ConfigurationError("bad_address", given=shown, reason=reason)


@lru_cache(maxsize=64)
def normalize_recorded_address(text: str) -> str:
    """Normalize the address of a ledger row like that of the settings; keep an invalid one.

    Version 0.1 stored the host and port as typed: ``localhost``, ``:443``, a final dot.
    """
    # The /v1 of a row's address is already removed, so another one belongs to its path.
    found = text if text == SANDBOX else parse_address(f"{text}/v1")
    return text if isinstance(found, ConfigurationError) else found
