"""The way out of this machine: the proxy, by the settings or as the environment or the system names
it, and the certificates.

Plain http with a secret in it goes to this machine alone (``config.py``, ``uploads/http_host.py``),
which is never asked for through a proxy; so no proxy ever reads a secret but its own.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .addresses import is_local_host
from .errors import ConfigurationError
from .redaction import HIDDEN, bare_url

if TYPE_CHECKING:
    import ssl  # and urllib.request: what reads the settings alone is not to wait for them

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SCHEMES = ("http", "https", "socks5")
SOCKS_REQUIREMENT = "socksio>=1.0,<2"


def checked_proxy(text: str) -> str:
    """The address of a proxy in its one spelling; ``host:port`` alone is an http one.

    Raises:
        ConfigurationError: it is no proxy's address, or the package that socks5 needs is missing.
    """
    url = text if "://" in text else f"http://{text}"
    # A password with odd letters in it may end up in any part.
    shown = HIDDEN if "@" in text else bare_url(url)
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise _bad(shown, "it cannot be taken apart") from None
    # httpx lets the proxy look names up with either; old versions know the first one alone.
    scheme = "socks5" if scheme == "socks5h" else scheme
    if scheme not in SCHEMES:
        raise _bad(shown, "it is no http, https or socks5 address")
    if not host:
        raise _bad(shown, "it has no host")
    if not url.isprintable() or " " in url or "\\" in url:
        raise _bad(shown, "it holds a blank, a control character or a backslash")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad(shown, "it has a path, query or fragment")
    if scheme == "socks5" and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(
            "no_socks_library", given=shown, python=sys.executable, package=SOCKS_REQUIREMENT
        )
    return f"{scheme}://{parts.netloc}"


def _bad(shown: str, reason: str) -> ConfigurationError:
    return ConfigurationError("bad_proxy", given=shown, reason=reason)


def proxy_for(url: str, chosen: str) -> str | None:
    """The proxy for a URL, ``None`` where it is asked for directly.

    This machine itself is never asked for through a proxy, and neither are the hosts that
    ``NO_PROXY`` (on Windows and macOS also the system) excepts.

    Args:
        chosen: what ``SEEDREAM_PROXY`` says; empty for the proxy that the environment (on Windows
            and macOS also the system) names.
    """
    import urllib.request

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_local_host(host):
        return None
    proxy = chosen or _of_environment(parts.scheme.lower())
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _of_environment(scheme: str) -> str:
    import urllib.request

    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all") or ""


def trusted_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The environment's CA bundle if it names one, else the system's store and certifi's.

    Raises:
        ConfigurationError: the bundle cannot be loaded.
    """
    import ssl

    file = next((environ[name] for name in CERTIFICATE_VARIABLES if environ.get(name)), None)
    folder = environ.get("SSL_CERT_DIR") or None
    try:
        if file and Path(file).is_dir():
            file, folder = None, file
        if file or folder:
            return ssl.create_default_context(cafile=file, capath=folder)
    except OSError as error:
        raise ConfigurationError(
            "bad_certificates", path=file or folder, reason=str(error)
        ) from None
    context = ssl.create_default_context()
    import certifi  # comes with httpx; an embedded Python may have no system store

    context.load_verify_locations(certifi.where())
    return context
