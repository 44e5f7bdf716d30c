"""The ways in which a reference image reaches the service, one small module each.

A way takes encoded bytes and gives a URL. What all ways need besides (reuse, limits, retries,
proof) is in ``courier.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from ..catalog import Family, Model
from ..errors import ConfigurationError
from ..images.encode import EncodedImage

if TYPE_CHECKING:
    from ..service.client import SeedreamClient


@dataclass(frozen=True)
class HostedUrl:
    """Where a picture is now.

    Args:
        life_s: seconds for which the host promises to keep it there, ``None`` where it is silent.
        expires_at: wall-clock seconds, where the host names a moment.
    """

    url: str = field(repr=False)
    life_s: float | None = None
    expires_at: float | None = None


class UploadTarget(Protocol):
    """One way to travel."""

    name: str
    location: str
    """The endpoint, bucket or host, without any secret: a URL is remembered for its place only."""
    hosts: frozenset[str]
    """``host`` or ``host:port`` that the user configured; they may be private."""
    is_inline: bool
    """Whether all references travel in the request itself and so share its size."""

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        """Bring an encoded picture to where the service can read it.

        Raises:
            NotTaken: it did not arrive (``attempts.py``).
        """
        ...


def select_target(client: SeedreamClient, model: Model) -> UploadTarget:
    """The way that the settings and the model's family call for.

    Raises:
        ConfigurationError: the family takes URLs only, and no way to upload is set up; or the
            chosen way lacks a setting.
    """
    target = url_target(client)
    if target is not None:
        return target
    if model.family is Family.PREFERENTIAL or client.settings.text("SEEDREAM_UPLOAD") == "inline":
        from .inline import Inline

        return Inline()
    raise ConfigurationError("no_upload_way", model=model.id)


def url_target(client: SeedreamClient) -> UploadTarget | None:
    """The configured way that gives URLs; ``None`` where there is none.

    Raises:
        ConfigurationError: the chosen way lacks a setting, or one of its settings cannot work.
    """
    settings = client.settings
    chosen = settings.text("SEEDREAM_UPLOAD")
    if chosen == "auto" and settings.is_sandbox:
        from .sandbox_host import SandboxHost

        return SandboxHost(client)
    for name, (needed, make) in _TARGETS.items():
        if chosen not in ("auto", name):
            continue
        if settings.text(needed):
            return make(client)
        if chosen == name:
            raise ConfigurationError("upload_way_missing", way=name, missing=needed)
    return None


def _s3(client: SeedreamClient) -> UploadTarget:
    from .s3 import S3Bucket

    return S3Bucket(client.settings)


def _evolink(client: SeedreamClient) -> UploadTarget:
    from .evolink import EvolinkFiles

    return EvolinkFiles(client)


def _http(client: SeedreamClient) -> UploadTarget:
    from .image_host import HttpHost

    return HttpHost(client)


_TARGETS: Mapping[str, tuple[str, Callable[[SeedreamClient], UploadTarget]]] = MappingProxyType({
    "s3": ("SEEDREAM_UPLOAD_S3_BUCKET", _s3),
    "evolink": ("SEEDREAM_UPLOAD_EVOLINK_KEY", _evolink),
    "http": ("SEEDREAM_UPLOAD_HTTP_URL", _http),
})  # fmt: skip
"""In the order in which ``auto`` looks: the setting without which a way is not configured."""
