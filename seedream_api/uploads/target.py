"""The interface of an upload target, which turns an encoded image into a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..images.encode import EncodedImage


@dataclass(frozen=True)
class HostedUrl:
    """The URL of an uploaded image.

    Args:
        life_s: seconds for which the host keeps it; ``None`` if the host does not say.
        expires_at: when it expires, in wall-clock seconds; ``None`` if the host does not say.
    """

    url: str = field(repr=False)
    life_s: float | None = None
    expires_at: float | None = None


class UploadTarget(Protocol):
    """A host, bucket or request body that reference images can be uploaded to."""

    name: str
    location: str
    """The endpoint, bucket or host, without any secret: a URL is cached for this location only."""
    hosts: frozenset[str]
    """Each ``host`` or ``host:port`` that the user configured; it may be private."""
    is_inline: bool
    """Whether all images are part of the request body and so share its size."""

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        """Upload an encoded image and return its URL.

        Raises:
            UploadRejected: the image was not accepted (``http.py``).
        """
        ...
