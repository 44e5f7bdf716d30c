"""Result links that expire, signed with a secret that outlives a restart."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from seedream_api.sandbox.exchange import Reply, relay_refusal
from seedream_api.sandbox.results import Results
from seedream_api.sandbox.tasks import StoredTask, TaskStore, write_privately


class ExpiringResults(Results):
    """Results whose links are refused after ``life_s`` seconds by ``now``; None: never."""

    def __init__(
        self, folder: Path, store: TaskStore, life_s: float | None, now: Callable[[], float]
    ) -> None:
        super().__init__(store)
        self.life_s = life_s
        self.now = now
        self._secret = _load_secret(folder / "link-secret")

    def link(self, task: StoredTask, index: int, address: str) -> str:
        """Return a link; with an expiry if links expire."""
        url = super().link(task, index, address)
        if self.life_s is None:
            return url
        expires = f"{self.now() + self.life_s:.3f}"
        signature = self._sign(url.removeprefix(address), expires)
        return f"{url}?expires={expires}&signature={signature}"

    def serve(self, target: str, task: StoredTask, index: int) -> Reply:
        """Return the image.

        Raises:
            Refusal: 403 for an expired or forged link.
        """
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        expires = query.get("expires", [""])[0]
        if expires or self.life_s is not None:
            known = self._sign(parts.path, expires)
            signature = query.get("signature", [""])[0]
            if not hmac.compare_digest(known.encode(), signature.encode("utf-8", "replace")):
                message = "The link's signature does not match"
                raise relay_refusal(403, message, kind="access_denied")
            if self.now() >= float(expires):
                raise relay_refusal(403, "Request has expired", kind="access_denied")
        return super().serve(target, task, index)

    def _sign(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path} {expires}".encode(), hashlib.sha256).hexdigest()[:32]


def _load_secret(path: Path) -> bytes:
    if not path.exists():
        write_privately(path, secrets.token_bytes(32))
    return path.read_bytes()
