"""What an upload target is: it takes encoded bytes and gives a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..images.encode import EncodedImage


@dataclass(frozen=True)
class HostedUrl:
    """Where an uploaded image is served.

    Args:
        life_s: seconds for which the host promises to keep it, ``None`` where it is silent.
        expires_at: wall-clock seconds, where the host names a moment.
    """

    url: str = field(repr=False)
    life_s: float | None = None
    expires_at: float | None = None


class UploadTarget(Protocol):
    """One place that reference images can be uploaded to."""

    name: str
    location: str
    """The endpoint, bucket or host, without any secret: a URL is cached for this location only."""
    hosts: frozenset[str]
    """``host`` or ``host:port`` that the user configured; they may be private."""
    is_inline: bool
    """Whether all references are part of the request itself and so share its size."""

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        """Upload an encoded image to where the service can read it.

        Raises:
            UploadRejected: it did not arrive (``http.py``).
        """
        ...
