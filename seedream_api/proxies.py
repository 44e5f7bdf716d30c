"""The way out of this machine, as its environment or system names it: proxy and certificates."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .config import is_local_host
from .errors import ConfigurationError

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment (on Windows and macOS also the system) names for a URL.

    This machine itself is never asked for through a proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_local_host(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme.lower()) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def trusted_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The environment's CA bundle if it names one, else the system's store and certifi's.

    Raises:
        ConfigurationError: the bundle cannot be loaded.
    """
    file = next((environ[name] for name in CERTIFICATE_VARIABLES if environ.get(name)), None)
    folder = environ.get("SSL_CERT_DIR") or None
    try:
        if file and Path(file).is_dir():
            file, folder = None, file
        if file or folder:
            return ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            "bad_certificates", path=file or folder, reason=str(error)
        ) from None
    context = ssl.create_default_context()
    import certifi  # comes with httpx; an embedded Python may have no system store

    context.load_verify_locations(certifi.where())
    return context
