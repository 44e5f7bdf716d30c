"""Uploaded files behind public links that may expire; in memory, as long as the sandbox lives."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .replies import Reply, bytes_reply, relay_refusal

PREFIX = "/hosted/"


@dataclass(frozen=True)
class _File:
    data: bytes
    media_type: str
    expires_at: float | None


class Shelf:
    """Files by name; equal content of one owner has one name.

    Args:
        address: the sandbox's own.
        now: seconds since the epoch.
    """

    def __init__(self, address: Callable[[], str], now: Callable[[], float]) -> None:
        self.now = now
        self._address = address
        self._lock = threading.Lock()
        self._files: dict[str, _File] = {}

    def put(self, owner: str, data: bytes, media_type: str, expires_at: float | None) -> str:
        """Keep a file; gives its URL."""
        ending = media_type.rpartition("/")[2].replace("jpeg", "jpg")
        name = f"{owner}/{hashlib.sha256(data).hexdigest()}.{ending}"
        with self._lock:
            self._files[name] = _File(data, media_type, expires_at)
        return f"{self._address()}{PREFIX}{name}"

    def count(self, owner: str) -> int:
        """How many files of one owner are still alive."""
        with self._lock:
            return sum(
                name.startswith(f"{owner}/") and not self._is_over(file)
                for name, file in self._files.items()
            )

    def serve(self, name: str, headers: Mapping[str, str]) -> Reply:
        """A file, whole or the asked byte range.

        Raises:
            Refusal: 404 for what is not there, or no longer.
        """
        with self._lock:
            file = self._files.get(name)
        if file is None or self._is_over(file):
            raise relay_refusal(404, "File not found", kind="not_found_error")
        return bytes_reply(file.data, file.media_type, headers)

    def _is_over(self, file: _File) -> bool:
        return file.expires_at is not None and self.now() >= file.expires_at
