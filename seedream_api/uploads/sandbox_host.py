"""The sandbox's own image host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..images.encode import EncodedImage
from .http import UploadRejected, UploadRequest, checked_result, describe_response, host_of, post
from .target import HostedUrl

if TYPE_CHECKING:
    from ..service.client import SeedreamClient

UPLOAD_PATH = "/sandbox/images"


class SandboxHost:
    """Takes the bytes as they are and answers with their URL."""

    name = "sandbox"
    is_inline = False

    def __init__(self, client: SeedreamClient) -> None:
        self._client = client
        self.location = host_of(client.base_url)
        self.hosts = frozenset({self.location})

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        headers = {**self._client.headers(), "Content-Type": encoded.media_type}
        secret = (self._client.settings.key.get_secret_value(),)
        url = self._client.base_url + UPLOAD_PATH
        response = await post(self._client, UploadRequest(url, headers, encoded.data, secret))
        if response.status != 200:
            raise UploadRejected(describe_response(response, secret))
        try:
            body: Any = response.json()
            given = body["url"]
        except (ValueError, KeyError, TypeError):
            given = None
        return HostedUrl(checked_result(given, response, secret))
