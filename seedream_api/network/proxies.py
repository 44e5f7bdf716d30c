"""The way out of this machine: the proxy, by the settings or as the environment or the system names
it, and the certificates.

Plain http with a secret in it goes to this machine alone (``config.py``, ``uploads/http_host.py``),
which is never asked for through a proxy; so no proxy ever reads a secret but its own.
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
from ..messages import Text
from ..redaction import bare_address
from .url_guard import is_local_host, literal_address, to_ascii

if TYPE_CHECKING:
    import ssl  # and urllib.request: what reads the settings alone is not to wait for them

log = logging.getLogger("seedream")

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SCHEMES = ("http", "https", "socks5")
_SOCKS5 = ("socks5", "socks5h", "socks")
"""GNOME writes the last one; httpx, whose old versions know the first alone, lets the proxy look
names up with any."""
SOCKS_REQUIREMENT = "socksio>=1.0,<2"
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


def parse_proxy(text: str) -> str | ConfigurationError:
    """Give the address of a proxy in its one spelling; ``host:port`` alone is an http one.

    The error is returned where it is not a proxy's address, or where the package that socks5 needs
    is missing: a traceback then shows no frame with a password.
    """
    url = text if "://" in text else f"http://{text}"
    reason, parts = _proxy_fault(url)
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


def _proxy_fault(url: str) -> tuple[str | None, SplitResult | None]:
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


def proxy_secrets(proxy: str) -> tuple[str, ...]:
    """List what of a proxy's address no message may show: its password, as written and decoded."""
    login, at, _ = proxy.partition("://")[2].rpartition("@")
    password = login.partition(":")[2]
    return (password, unquote(password)) if at and password else ()


def environ_proxies(environ: Mapping[str, str]) -> list[str]:
    """List the proxies that environment variables set."""
    return [
        text
        for name, text in environ.items()
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy" and text
    ]


def proxy_for(url: str, chosen: str) -> str | None:
    """Find the proxy for a URL; ``None`` where it is asked for directly.

    This machine is never asked for through a proxy, and neither are the hosts that ``NO_PROXY``
    (on Windows and macOS also the system) excepts.

    Args:
        chosen: what ``SEEDREAM_PROXY`` says; empty for the proxy that the environment (on Windows
            and macOS also the system) names.

    Raises:
        ConfigurationError: what the environment names cannot be used as a proxy.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if is_local_host(host):
        return None
    proxy = chosen or _of_environment(scheme)
    if not proxy or _is_excepted(host, parts.port or _PORTS.get(scheme, 0)):
        return None
    found = parse_proxy(proxy)
    if isinstance(found, ConfigurationError):
        raise found
    return found


def _of_environment(scheme: str) -> str:
    import urllib.request

    proxies = urllib.request.getproxies()
    return (proxies.get(scheme) or proxies.get("all") or "").strip()


def _is_excepted(host: str, port: int) -> bool:
    """Read ``NO_PROXY`` as curl, Go and requests do: names with their subdomains, networks,
    ``host:port``, ``*``."""
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if any(_matches(entry, host, port) for entry in re.split(r"[\s,;]+", excepted) if entry):
        return True
    if sys.platform not in ("win32", "darwin"):
        return False
    import urllib.request

    return bool(urllib.request.proxy_bypass(host))


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, wanted = entry, None
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+):(\d+)", entry)
    if found:
        name, wanted = found[1], int(found[2])
    if wanted is not None and wanted != port:
        return False
    address = literal_address(host)
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


def trusted_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Load the environment's CA bundle if it names one, else the system's store and certifi's.

    Raises:
        ConfigurationError: the bundle cannot be loaded.
    """
    import ssl

    # Not create_default_context: a SSLKEYLOGFILE that cannot be opened is an error there.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _log_keys(context, environ.get("SSLKEYLOGFILE", ""))
    file = next((environ[name] for name in CERTIFICATE_VARIABLES if environ.get(name)), None)
    folder = environ.get("SSL_CERT_DIR") or None
    try:
        if file and Path(file).is_dir():
            file, folder = None, file
        if file or folder:
            context.load_verify_locations(cafile=file, capath=folder)
            # Python 3.13 wants more of a CA than many companies' have; the user chose this one.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            return context
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "bad_certificates", path=file or folder, reason=str(error)
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
