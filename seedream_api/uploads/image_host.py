"""A configurable image host: ``POST`` as multipart; the URL in a JSON response, or as plain text.

``SEEDREAM_UPLOAD_HTTP_URL`` is the host's upload address or a preset; the preset of self-hosted
software is followed by a plus sign and the host's address. ``FIELD``, ``HEADERS``, ``FIELDS`` and
``RESULT`` override the preset. ``HEADERS`` and ``FIELDS`` are JSON objects of strings; they are
secret.

================================  ======  =====================================  ==================
``SEEDREAM_UPLOAD_HTTP_URL``      FIELD   the secret                             RESULT
================================  ======  =====================================  ==================
``imgbb``                         image   FIELDS ``{"key": "..."}``              data.url
``chevereto+https://img.example`` source  HEADERS ``{"X-API-Key": "..."}``       image.url
``lsky+https://img.example``      file    HEADERS ``{"Authorization": "Bearer    data.links.url
                                          ..."}``
``https://img.example/upload``    file    as the host wants it                   url
================================  ======  =====================================  ==================

A URL without a host, such as ``/file/a.png``, is relative to the upload address. imgbb also accepts
``{"expiration": "86400"}`` in FIELDS, the lifetime of an image in seconds. Sources:
https://api.imgbb.com, https://v4-docs.chevereto.com/api/1/file-upload.html, and the API page of
Lsky Pro.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

from ..errors import ConfigurationError, InvalidRequest
from ..images.encode import EncodedImage
from ..messages import Text
from ..network.url_guard import check_url, is_local_host
from ..redaction import (
    REDACTED,
    SHORTEST_SECRET,
    Hidden,
    HiddenTexts,
    bare_address,
    strip_url_secrets,
)
from .http import (
    UploadRejected,
    UploadRequest,
    describe_response,
    encode_multipart,
    parse_host,
    parse_result_url,
    post,
)
from .target import HostedUrl

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..service.client import SeedreamClient

_TEXT_BYTES = 16 * 1024
_PLAIN_URL = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Preset:
    """The protocol of a common kind of image host.

    Args:
        address: the host's address; empty for self-hosted software.
        path: the path of the upload endpoint.
        field: the form field that carries the image.
        result: the path of the URL in the JSON response.
        life_field: the form field with the lifetime of an image in seconds.
    """

    address: str
    path: str
    field: str
    result: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    life_field: str = ""


PRESETS: Mapping[str, Preset] = MappingProxyType({
    "imgbb": Preset(
        "https://api.imgbb.com", "/1/upload", "image", "data.url", life_field="expiration"
    ),
    "chevereto": Preset("", "/api/1/upload", "source", "image.url", fields={"format": "json"}),
    "lsky": Preset(
        "", "/api/v1/upload", "file", "data.links.url", headers={"Accept": "application/json"}
    ),
})  # fmt: skip
_PLAIN = Preset("", "", "file", "url")


class HttpHost:
    """An image host that the settings describe.

    Raises:
        ConfigurationError: one of its settings is invalid.
    """

    name = "http"
    is_inline = False

    def __init__(self, client: SeedreamClient) -> None:
        self._client = client
        settings = client.settings
        preset, self._url = _parse_preset(settings)
        extra = Hidden(_parse_texts(settings, "SEEDREAM_UPLOAD_HTTP_FIELDS"))
        headers = Hidden(_parse_texts(settings, "SEEDREAM_UPLOAD_HTTP_HEADERS"))
        self._headers = Hidden({**preset.headers, **headers})
        self._fields = Hidden({**preset.fields, **extra})
        self._field = settings.text("SEEDREAM_UPLOAD_HTTP_FIELD") or preset.field
        self._result = settings.text("SEEDREAM_UPLOAD_HTTP_RESULT") or preset.result
        life = self._fields.get(preset.life_field, "")
        self._life_s = float(life) if life.isdigit() and int(life) else None
        parts = urlsplit(self._url)
        self._secret = _collect_secrets(
            [*headers.values(), *extra.values(), *_parse_query_values(parts.query)]
        )
        if parts.scheme == "http" and self._secret and not is_local_host(parts.hostname or ""):
            raise _build_setting_error(
                settings, "SEEDREAM_UPLOAD_HTTP_URL", Text("https_with_secret")
            )
        self.location: str = strip_url_secrets(self._url)
        self.hosts: frozenset[str] = frozenset({parse_host(self._url)})

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        kind, content = await asyncio.to_thread(
            encode_multipart, self._fields, self._field, encoded
        )
        headers = Hidden({**self._headers, "Content-Type": kind})
        response = await post(
            self._client, UploadRequest(self._url, headers, content, self._secret)
        )
        said = describe_response(response, self._secret)
        if response.status in (401, 403):
            raise UploadRejected(
                Text(
                    "upload_key_rejected",
                    setting="SEEDREAM_UPLOAD_HTTP_HEADERS / _FIELDS",
                    said=said,
                )
            )
        if not 200 <= response.status < 300:
            raise UploadRejected(said)
        try:
            body = response.json()
            given = body if isinstance(body, str) else _get_at_path(body, self._result)
        except ValueError:
            given = _find_plain_url(response.body)
            if given is None:
                raise UploadRejected(Text("upload_not_json", said=said)) from None
        if isinstance(given, str) and given.startswith("/"):
            given = urljoin(self._url, given)
        return HostedUrl(parse_result_url(given, response, self._secret), self._life_s)


def _parse_preset(settings: Settings) -> tuple[Preset, str]:
    name = "SEEDREAM_UPLOAD_HTTP_URL"
    kind, _, address = settings.text(name).partition("+")
    preset = PRESETS.get(kind.lower())
    if preset is None:
        preset, url = _PLAIN, settings.text(name)
    else:
        url = (address or preset.address).rstrip("/") + preset.path
    try:
        return preset, check_url(url, field=name)
    except InvalidRequest:
        presets = ", ".join(
            one if known.address else f"{one}+https://host" for one, known in PRESETS.items()
        )
        raise _build_setting_error(settings, name, Text("url_or_preset", presets=presets)) from None


def _parse_texts(settings: Settings, name: str) -> dict[str, str]:
    """Parse a setting that is a JSON object of strings.

    Raises:
        ConfigurationError: it is something else.
    """
    text = settings.text(name)
    if not text:
        return {}
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _build_setting_error(settings, name, Text("json_of_texts"))
    texts = {str(key): str(value) for key, value in cast("dict[str, Any]", found).items()}
    if name.endswith("HEADERS") and not all(map(_is_header_text, [*texts, *texts.values()])):
        raise _build_setting_error(settings, name, Text("ascii_only"))
    return texts


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _build_setting_error(settings: Settings, name: str, allowed: str) -> ConfigurationError:
    is_url = name.endswith("URL")
    given = bare_address(settings.text(name)) if is_url else REDACTED
    origin = settings.values[name].origin
    return ConfigurationError("bad_setting", name=name, given=given, origin=origin, allowed=allowed)


def _parse_query_values(query: str) -> list[str]:
    return [pair.partition("=")[2] for pair in query.split("&")]


def _collect_secrets(values: list[str]) -> HiddenTexts:
    """Collect the values and their words: a host may quote ``Bearer abcdef`` without ``Bearer``."""
    words = {word for value in values for word in (value, *value.split())}
    long = (word for word in words if len(word) >= SHORTEST_SECRET)
    return HiddenTexts(sorted(long, key=len, reverse=True))


def _find_plain_url(body: bytes) -> str | None:
    """Find the first line that is a URL in a plain text, which many small hosts return."""
    lines = body[:_TEXT_BYTES].decode("utf-8-sig", "replace").splitlines()
    return next((line.strip() for line in lines if _PLAIN_URL.fullmatch(line)), None)


def _get_at_path(body: Any, path: str) -> Any:
    """Get the value at a path such as ``data.0.links.url``; ``None`` if there is none."""
    for step in path.split("."):
        if isinstance(body, dict):
            body = cast("dict[str, Any]", body).get(step)
        elif isinstance(body, list) and step.isdigit():
            items = cast("list[Any]", body)
            body = items[int(step)] if int(step) < len(items) else None
        else:
            return None
    return body
