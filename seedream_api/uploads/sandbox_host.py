"""The sandbox's own image host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..images.encode import Encoded
from . import Placed
from .http import NotTaken, Parcel, checked_result, host_of, post, told

if TYPE_CHECKING:
    from ..service.client import SeedreamClient

UPLOAD_PATH = "/sandbox/images"


class SandboxHost:
    """Takes the bytes as they are and answers with their URL."""

    name = "sandbox"
    shares_one_body = False

    def __init__(self, client: SeedreamClient) -> None:
        self._client = client
        self.place = host_of(client.base_url)
        self.hosts = frozenset({self.place})

    async def send(self, encoded: Encoded) -> Placed:
        headers = {**self._client.headers(), "Content-Type": encoded.media_type}
        secret = (self._client.settings.key.get_secret_value(),)
        url = self._client.base_url + UPLOAD_PATH
        answer = await post(self._client, Parcel(url, headers, encoded.data, secret))
        if answer.status != 200:
            raise NotTaken(told(answer, secret))
        try:
            body: Any = answer.json()
            given = body["url"]
        except (ValueError, KeyError, TypeError):
            given = None
        return Placed(checked_result(given, answer, secret))
