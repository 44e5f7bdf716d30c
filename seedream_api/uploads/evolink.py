"""Evolink's files API, with a key of its own: a DeepSpace key does not work there.

Source: https://docs.evolink.ai/en/api-manual/file-series/upload-stream: one file a call as
multipart ``file``, at most 100 MB, kept for 72 hours, 100 files an account (VIP 500).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from ..config.spelling import is_header_safe
from ..errors import ConfigurationError
from ..images.encode import EncodedImage
from ..messages import Text
from ..network.retry import UPLOADING
from ..redaction import Hidden, HiddenTexts
from . import HostedUrl
from .http import (
    UploadRejected,
    UploadRequest,
    checked_result,
    describe_response,
    encode_multipart,
    host_of,
    post,
)

if TYPE_CHECKING:
    from ..network.transport import HttpResponse
    from ..service.client import SeedreamClient

FILES_ADDRESS = "https://files-api.evolink.ai"
UPLOAD_PATH = "/api/v1/files/upload/stream"
LIFE_S = 72 * 3600.0
_MILLISECONDS = 10**11
"""A number of seconds above this one would lie in the year 5138."""

_KNOWN_CODES = frozenset({40001, 40002, 40003, 40004, 50001})


class EvolinkFiles:
    """Uploads by stream.

    Args:
        address: where the files API is; another one than Evolink's own only in tests.

    Raises:
        ConfigurationError: the key cannot be one.
    """

    name = "evolink"
    is_inline = False

    def __init__(self, client: SeedreamClient, address: str | None = None) -> None:
        self._client = client
        self._address = address or FILES_ADDRESS
        self.location = host_of(self._address)
        self.hosts = frozenset({self.location})
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
        return self._read(body, response, key)

    def _read(self, body: Any, response: HttpResponse, key: HiddenTexts) -> HostedUrl:
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
            raise UploadRejected(reason, again=UPLOADING if code == 50001 else None)
        url = checked_result(data.get("file_url") or data.get("download_url"), response, key)
        return HostedUrl(url, LIFE_S, _moment(data.get("expires_at")))


def _moment(value: Any) -> float | None:
    """``expires_at`` in wall-clock seconds: a number, or a date in ISO 8601."""
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
