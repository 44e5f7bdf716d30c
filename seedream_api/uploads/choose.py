"""Select the upload target from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..catalog import Model
from ..errors import ConfigurationError
from ..service.client import SeedreamClient
from .target import UploadTarget


def select_target(client: SeedreamClient, model: Model) -> UploadTarget:
    """Select the upload target from the settings, the model's family and what a probe learned.

    Raises:
        ConfigurationError: the family accepts URLs only, and no upload target is configured; or
            the selected one lacks a setting.
    """
    target = url_target(client)
    if target is not None:
        return target
    settings = client.settings
    if settings.text("SEEDREAM_UPLOAD") == "inline" or settings.facts.takes_inline(model.family):
        from .inline import Inline

        return Inline()
    raise ConfigurationError("no_upload_way", model=model.id)


def url_target(client: SeedreamClient) -> UploadTarget | None:
    """Return the configured upload target that returns URLs; ``None`` if there is none.

    Raises:
        ConfigurationError: the selected target lacks a setting, or has an invalid one.
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


def _build_s3(client: SeedreamClient) -> UploadTarget:
    from .s3 import S3Bucket

    return S3Bucket(client.settings)


def _build_evolink(client: SeedreamClient) -> UploadTarget:
    from .evolink import EvolinkFiles

    return EvolinkFiles(client)


def _build_http(client: SeedreamClient) -> UploadTarget:
    from .image_host import HttpHost

    return HttpHost(client)


_TARGETS: Mapping[str, tuple[str, Callable[[SeedreamClient], UploadTarget]]] = MappingProxyType({
    "s3": ("SEEDREAM_UPLOAD_S3_BUCKET", _build_s3),
    "evolink": ("SEEDREAM_UPLOAD_EVOLINK_KEY", _build_evolink),
    "http": ("SEEDREAM_UPLOAD_HTTP_URL", _build_http),
})  # fmt: skip
"""The required setting and the constructor of each target, in the order that ``auto`` tries."""
