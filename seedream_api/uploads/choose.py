"""Select the upload target that the settings call for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..catalog import Family, Model
from ..errors import ConfigurationError
from ..service.client import SeedreamClient
from .target import UploadTarget


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
