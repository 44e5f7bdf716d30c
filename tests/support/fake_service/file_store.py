"""Uploaded files behind public links that may expire, in memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from seedream_api.sandbox.exchange import Reply, relay_refusal

PREFIX = "/hosted/"


@dataclass(frozen=True)
class _File:
    data: bytes
    media_type: str
    expires_at: float | None


class FileStore:
    """Files by name; equal content of one owner has one name.

    Args:
        address: returns the service's own.
        now: seconds since the epoch.
    """

    def __init__(self, address: Callable[[], str], now: Callable[[], float]) -> None:
        self.now = now
        self._address = address
        self._lock = threading.Lock()
        self._files: dict[str, _File] = {}

    def put(self, owner: str, data: bytes, media_type: str, expires_at: float | None) -> str:
        """Store a file; return its URL."""
        ending = media_type.rpartition("/")[2].replace("jpeg", "jpg")
        name = f"{owner}/{hashlib.sha256(data).hexdigest()}.{ending}"
        with self._lock:
            self._files[name] = _File(data, media_type, expires_at)
        return f"{self._address()}{PREFIX}{name}"

    def count(self, owner: str) -> int:
        """Return how many files of one owner have not expired."""
        with self._lock:
            return sum(
                name.startswith(f"{owner}/") and not self._has_expired(file)
                for name, file in self._files.items()
            )

    def serve(self, path: str) -> Reply:
        """Return the file at a URL path.

        Raises:
            Refusal: 404 if it does not exist or has expired.
        """
        with self._lock:
            file = self._files.get(path.removeprefix(PREFIX))
        if file is None or self._has_expired(file):
            raise relay_refusal(404, "File not found", kind="not_found_error")
        return Reply(200, file.data, file.media_type)

    def _has_expired(self, file: _File) -> bool:
        return file.expires_at is not None and self.now() >= file.expires_at
