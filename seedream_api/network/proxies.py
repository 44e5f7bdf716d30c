"""The proxy of the settings, the environment or the system, and the trusted certificates.

Secrets go over plain http only to this machine (see ``config`` and ``uploads/image_host.py``), and
requests to this machine never use a proxy; so a proxy sees no secret except its password.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import ConfigurationError
from ..messages import Text, text_of
from ..redaction import bare_address
from .url_guard import is_local_host, parse_ip_literal, to_ascii

if TYPE_CHECKING:
    import ssl  # and urllib.request: reading the settings must not wait for their import

log: logging.Logger = logging.getLogger("seedream")

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SCHEMES = ("http", "https", "socks5")
_SOCKS5 = ("socks5", "socks5h", "socks")
"""GNOME uses the last one. Old versions of httpx know only the first; with each of them the proxy
resolves names."""
SOCKS_REQUIREMENT = "socksio>=1.0,<2"
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


def parse_proxy(text: str) -> str | ConfigurationError:
    """Normalize the address of a proxy; ``host:port`` alone means http.

    Returns the error if the address is not valid or the package for socks5 is missing: a traceback
    then has no frame with the password.
    """
    url = text if "://" in text else f"http://{text}"
    reason, parts = _split_proxy(url)
    shown = bare_address(url)
    if reason or parts is None:
        return ConfigurationError("bad_proxy", given=shown, reason=reason)
    scheme = parts.scheme.lower()
    scheme = "socks5" if scheme in _SOCKS5 else scheme
    if scheme == "socks5" and importlib.util.find_spec("socksio") is None:
        return ConfigurationError(
            "no_socks_library", given=shown, python=sys.executable, package=SOCKS_REQUIREMENT
        )
    return f"{scheme}://{parts.netloc}"


def _split_proxy(url: str) -> tuple[str | None, SplitResult | None]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Text("unparsable"), None
    reason = None
    if parts.scheme.lower() not in (*SCHEMES, *_SOCKS5):
        reason = Text("not_proxy_url")
    elif not host:
        reason = Text("no_host")
    elif not url.isprintable() or " " in url or "\\" in url:
        reason = Text("odd_characters")
    elif parts.path.strip("/") or parts.query or parts.fragment:
        reason = Text("has_path")
    return reason, parts


def list_proxy_secrets(proxy: str) -> tuple[str, ...]:
    """List the secrets of a proxy's address: its password, as written and decoded."""
    login, at, _ = proxy.partition("://")[2].rpartition("@")
    password = login.partition(":")[2]
    return (password, unquote(password)) if at and password else ()


def list_environ_proxies(environ: Mapping[str, str]) -> list[str]:
    """List the proxies that environment variables set."""
    return [
        text
        for name, text in environ.items()
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy" and text
    ]


def find_proxy(url: str, chosen: str) -> str | None:
    """Find the proxy for a URL; ``None`` for a direct connection.

    This machine is always accessed directly, and so are the exceptions of ``NO_PROXY`` (on Windows
    and macOS also those of the system).

    Args:
        chosen: the value of ``SEEDREAM_PROXY``; empty for the proxy of the environment (on Windows
            and macOS also of the system).

    Raises:
        ConfigurationError: the proxy of the environment cannot be used.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if is_local_host(host):
        return None
    proxy = chosen or _find_environ_proxy(scheme)
    if not proxy or _is_excepted(host, parts.port or _PORTS.get(scheme, 0)):
        return None
    found = parse_proxy(proxy)
    if isinstance(found, ConfigurationError):
        raise found
    return found


def _find_environ_proxy(scheme: str) -> str:
    import urllib.request

    proxies = urllib.request.getproxies()
    return (proxies.get(scheme) or proxies.get("all") or "").strip()


def _is_excepted(host: str, port: int) -> bool:
    """Apply ``NO_PROXY`` as curl, Go and requests do.

    Its entries are names (with their subdomains), networks, ``host:port`` and ``*``.
    """
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if any(_is_match(entry, host, port) for entry in re.split(r"[\s,;]+", excepted) if entry):
        return True
    if sys.platform not in ("win32", "darwin"):
        return False
    import urllib.request

    return bool(urllib.request.proxy_bypass(host))


def _is_match(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, wanted = entry, None
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+):(\d+)", entry)
    if found:
        name, wanted = found[1], int(found[2])
    if wanted is not None and wanted != port:
        return False
    address = parse_ip_literal(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(name.strip("[]"), strict=False)
        except ValueError:
            return False
    try:
        known, asked = (to_ascii(one).rstrip(".") for one in (name.lstrip("*."), host))
    except ValueError:
        return False
    return bool(known) and (asked == known or asked.endswith(f".{known}"))


def load_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Load the environment's CA bundle if it is set, else the system's store and certifi's.

    Raises:
        ConfigurationError: the bundle cannot be loaded.
    """
    import ssl

    # Not create_default_context: that fails if SSLKEYLOGFILE cannot be opened.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _log_keys(context, environ.get("SSLKEYLOGFILE", ""))
    file = next((environ[name] for name in CERTIFICATE_VARIABLES if environ.get(name)), None)
    folder = environ.get("SSL_CERT_DIR") or None
    try:
        if file and Path(file).is_dir():
            file, folder = None, file
        if file or folder:
            context.load_verify_locations(cafile=file, capath=folder)
            # Python 3.13 rejects many companies' CAs as too lax; the user chose this one.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            return context
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "bad_certificates", path=file or folder, reason=text_of(error)
        ) from None
    if sys.version_info >= (3, 13):  # as create_default_context does
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_default_certs()
    import certifi  # comes with httpx; an embedded Python may have no system store

    context.load_verify_locations(certifi.where())
    return context


def _log_keys(context: ssl.SSLContext, file: str) -> None:
    try:
        if file:
            context.keylog_filename = file
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        log.warning("SSLKEYLOGFILE is ignored: %s cannot be written (%s)", file, reason)
