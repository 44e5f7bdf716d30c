"""The image host of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..images.encode import EncodedImage
from ..redaction import Hidden
from .http import (
    UploadRejected,
    UploadRequest,
    describe_response,
    parse_host,
    parse_result_url,
    post,
)
from .target import HostedUrl

if TYPE_CHECKING:
    from ..service.client import SeedreamClient

UPLOAD_PATH = "/sandbox/images"


class SandboxHost:
    """Uploads the bytes unchanged to the sandbox, which returns their URL."""

    name = "sandbox"
    is_inline = False

    def __init__(self, client: SeedreamClient) -> None:
        self._client = client
        self.location: str = parse_host(client.base_url)
        self.hosts: frozenset[str] = frozenset({self.location})

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        headers = Hidden({**self._client.headers(), "Content-Type": encoded.media_type})
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
        return HostedUrl(parse_result_url(given, response, secret))
