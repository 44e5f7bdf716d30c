"""The address of a bucket that holds the stored images of several machines."""

from __future__ import annotations

import re

from ..errors import ConfigurationError

_URL = re.compile(r"s3://([A-Za-z0-9._-]+)((?:/[A-Za-z0-9._+=-]+)*)/*")


def parse_store_url(text: str) -> str | ConfigurationError:
    """Check ``s3://bucket/prefix`` and remove slashes at its end, or return the error."""
    found = _URL.fullmatch(text)
    if found is None or any(part in (".", "..") for part in found[2].split("/")):
        return ConfigurationError("bad_store_url")
    return f"s3://{found[1]}{found[2]}"


def split_store_url(url: str) -> tuple[str, str]:
    """Split a checked address into the bucket and the prefix."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix
