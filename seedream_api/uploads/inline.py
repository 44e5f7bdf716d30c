"""A reference inside the request itself, as a data URI."""

from __future__ import annotations

import asyncio
import base64

from ..images.encode import Encoded
from . import Placed


class Inline:
    """Ark reads ``data:image/<format>;base64,...`` with the format in lower case."""

    name = "inline"
    place = ""
    hosts: frozenset[str] = frozenset()
    shares_one_body = True

    async def send(self, encoded: Encoded) -> Placed:
        text = await asyncio.to_thread(base64.b64encode, encoded.data)
        return Placed(f"data:{encoded.media_type};base64,{text.decode('ascii')}")
