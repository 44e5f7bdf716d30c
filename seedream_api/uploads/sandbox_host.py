"""The sandbox's own image host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..encoding import Encoded
from ..errors import TransportFailed, UploadFailed

if TYPE_CHECKING:
    from ..client import SeedreamClient

UPLOAD_PATH = "/sandbox/images"


class SandboxHost:
    """Takes the bytes as they are and answers with their URL."""

    name = "sandbox"
    shares_one_body = False

    def __init__(self, client: SeedreamClient) -> None:
        self._client = client

    async def send(self, encoded: Encoded, position: int) -> str:
        headers = {**self._client.headers(), "Content-Type": encoded.media_type}
        try:
            answer = await self._client.transport.ask(
                self._client.base_url + UPLOAD_PATH,
                method="POST",
                headers=headers,
                content=encoded.data,
                timeout_s=60.0,
            )
            body: Any = answer.json()
            return str(body["url"])
        except (TransportFailed, ValueError, KeyError, TypeError) as error:
            reason = error.values["reason"] if isinstance(error, TransportFailed) else repr(error)
            raise UploadFailed(
                "upload_failed", position=position, way=self.name, reason=reason
            ) from None
