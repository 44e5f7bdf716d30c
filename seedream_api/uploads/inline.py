"""Send reference images inside the request, as data URIs."""

from __future__ import annotations

import asyncio
import base64

from ..images.encode import EncodedImage
from .target import HostedUrl


class Inline:
    """Encodes images as ``data:image/<format>;base64,...``, as Ark documents it."""

    name = "inline"
    location = ""
    hosts: frozenset[str] = frozenset()
    is_inline = True

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        text = await asyncio.to_thread(base64.b64encode, encoded.data)
        return HostedUrl(f"data:{encoded.media_type};base64,{text.decode('ascii')}")
