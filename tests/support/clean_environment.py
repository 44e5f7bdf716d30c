"""Keep the machine's settings, proxies and certificates away from tests and the demo."""

from __future__ import annotations

import os

OURS = ("DEEPSPACE_", "SEEDREAM_")
# Certificates and proxies change what a client does; loopback needs neither.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WS_PROXY", "WSS_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
NETWORK = frozenset((*PROXIES, *CERTIFICATES, "SSLKEYLOGFILE"))


def outside_settings() -> list[str]:
    """Return the names of environment variables that would change what the pack does."""
    return [name for name in os.environ if name.upper() in NETWORK or name.upper().startswith(OURS)]


def clean_environment() -> dict[str, str]:
    """Return the environment without them; in particular, no test sees the user's own key."""
    outside = set(outside_settings())
    return {name: value for name, value in os.environ.items() if name not in outside}
