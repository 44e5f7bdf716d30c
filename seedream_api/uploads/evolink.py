"""Evolink's files API, which needs an Evolink key: a DeepSpace key does not work there.

Source: https://docs.evolink.ai/en/api-manual/file-series/upload-stream: one file per call as
multipart ``file``, at most 100 MB, kept for 72 hours, 100 files per account (VIP 500).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from ..config.normalization import is_header_safe
from ..errors import ConfigurationError
from ..images.encode import EncodedImage
from ..messages import Text
from ..network.retry import UPLOADING
from ..redaction import Hidden, HiddenTexts
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
    from ..network.transport import HttpResponse
    from ..service.client import SeedreamClient

FILES_ADDRESS = "https://files-api.evolink.ai"
UPLOAD_PATH = "/api/v1/files/upload/stream"
LIFE_S = 72 * 3600.0
_MILLISECONDS = 10**11
"""A larger number is in milliseconds: in seconds it would be after the year 5138."""

_KNOWN_CODES = frozenset({40001, 40002, 40003, 40004, 50001})


class EvolinkFiles:
    """Uploads files to Evolink.

    Args:
        address: the address of the files API; tests pass a different one.

    Raises:
        ConfigurationError: the key cannot be sent in a header.
    """

    name = "evolink"
    is_inline = False

    def __init__(self, client: SeedreamClient, address: str | None = None) -> None:
        self._client = client
        self._address = address or FILES_ADDRESS
        self.location: str = parse_host(self._address)
        self.hosts: frozenset[str] = frozenset({self.location})
        if not is_header_safe(client.settings.text("SEEDREAM_UPLOAD_EVOLINK_KEY")):
            raise ConfigurationError("bad_upload_key", name="SEEDREAM_UPLOAD_EVOLINK_KEY")

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        key = HiddenTexts((self._client.settings.text("SEEDREAM_UPLOAD_EVOLINK_KEY"),))
        kind, content = await asyncio.to_thread(encode_multipart, dict[str, str](), "file", encoded)
        headers = Hidden({"Authorization": f"Bearer {key[0]}", "Content-Type": kind})
        response = await post(
            self._client, UploadRequest(self._address + UPLOAD_PATH, headers, content, key)
        )
        try:
            body: Any = response.json()
        except ValueError:
            body = None
        return self._parse_upload(body, response, key)

    def _parse_upload(self, body: Any, response: HttpResponse, key: HiddenTexts) -> HostedUrl:
        said = describe_response(response, key)
        if response.status in (401, 403):
            raise UploadRejected(
                Text("upload_key_rejected", setting="SEEDREAM_UPLOAD_EVOLINK_KEY", said=said)
            )
        if not isinstance(body, dict):
            raise UploadRejected(said)
        body = cast("dict[str, Any]", body)
        found = body.get("data")
        data = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if response.status != 200 or body.get("success") is False or not data:
            code = body.get("code")
            is_known = isinstance(code, int) and code in _KNOWN_CODES
            reason = Text(f"evolink_{code}", said=said) if is_known else said
            raise UploadRejected(reason, retry=UPLOADING if code == 50001 else None)
        url = parse_result_url(data.get("file_url") or data.get("download_url"), response, key)
        return HostedUrl(url, LIFE_S, _parse_time(data.get("expires_at")))


def _parse_time(value: Any) -> float | None:
    """Parse ``expires_at``, a number or an ISO 8601 date, to wall-clock seconds."""
    try:
        if isinstance(value, str) and not value.isdigit():
            parsed = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
            if parsed.tzinfo is None:
                parsed = parsed.replace(tzinfo=timezone.utc)
            return parsed.timestamp()
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return number / 1000 if number > _MILLISECONDS else number
