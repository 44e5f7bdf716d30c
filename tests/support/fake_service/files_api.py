"""Evolink's files API: one file per call, a separate key, 72 hours, a quota.

Source: https://docs.evolink.ai/en/api-manual/file-series/upload-stream. The HTTP
statuses of its errors are not documented; here they follow the first digits of its codes.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any

from seedream_api.sandbox.accounts import parse_key
from seedream_api.sandbox.exchange import HttpRequest, Refusal, Reply, evolink_refusal, json_reply
from seedream_api.sandbox.references import UnreadableImage, open_image

from .file_store import FileStore
from .multipart import Form, Part, read_form

FILES_KEY = "sk-evo-sandbox-files"
"""The only valid key; public, and worth nothing."""
UPLOAD = "/api/v1/files/upload/stream"
LIFE_S = 72 * 3600
MAX_BYTES = 100 * 1024 * 1024
QUOTA = 100
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
_OWNER = "evolink"


class FilesApi:
    """Takes files for one account.

    Args:
        max_bytes: of a file.
        quota: files of the account that may be alive at once.
    """

    def __init__(self, store: FileStore, *, max_bytes: int = MAX_BYTES, quota: int = QUOTA) -> None:
        self.max_bytes = max_bytes
        self.quota = quota
        self._store = store

    def upload(self, request: HttpRequest) -> Reply:
        """Keep the one file of a form.

        Raises:
            Refusal: 401 for the key; else ``{success: false, code, msg}``.
        """
        key = parse_key(request.headers)
        if key != FILES_KEY:
            message = "Invalid API key" if key else "Missing API key"
            raise evolink_refusal(401, message, "authentication_error")
        part = self._file(request)
        media_type = _type_of(part.data)
        if len(part.data) > self.max_bytes:
            raise _error(400, 40001, "File size exceeds the limit")
        if media_type is None:
            raise _error(400, 40002, "Unsupported file type")
        if self._store.count(_OWNER) >= self.quota:
            raise _error(400, 40003, "File quota exceeded")
        now = self._store.now()
        url = self._store.put(_OWNER, part.data, media_type, now + LIFE_S)
        data: dict[str, Any] = {
            "file_id": f"file_{secrets.token_hex(8)}",
            "file_name": url.rpartition("/")[2],
            "original_name": part.file_name,
            "file_size": len(part.data),
            "mime_type": media_type,
            "upload_path": "images",
            "file_url": url,
            "download_url": url,
            "upload_time": _date(now),
            "expires_at": _date(now + LIFE_S),
        }
        return json_reply({"success": True, "code": 200, "msg": "success", "data": data})

    def _file(self, request: HttpRequest) -> Part:
        try:
            form: Form = read_form(request.headers.get("content-type", ""), request.body)
            return form.files["file"]
        except (ValueError, KeyError):
            raise evolink_refusal(400, "file is required", "invalid_request_error") from None


def _type_of(data: bytes) -> str | None:
    try:
        return _TYPES.get(open_image(data).format or "")
    except UnreadableImage:
        return None


def _error(status: int, code: int, message: str) -> Refusal:
    return Refusal(json_reply({"success": False, "code": code, "msg": message}, status))


def _date(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
