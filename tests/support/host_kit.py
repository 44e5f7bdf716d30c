"""Image hosts of the tests."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from seedream_api.images.encode import EncodedImage
from seedream_api.service.client import SeedreamClient
from seedream_api.uploads.evolink import EvolinkFiles
from seedream_api.uploads.http import UploadRejected


def picture(kind: str = "PNG") -> EncodedImage:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(out, kind)
    return EncodedImage(out.getvalue(), f"image/{kind.lower()}", True, (), 32, 24)


def sent(api_client: Any, make: Any, encoded: EncodedImage | None = None, **environ: str) -> Any:
    """What a way alone makes of a picture."""

    async def send() -> Any:
        async with SeedreamClient(api_client.settings(**environ)) as client:
            return await make(client).upload(encoded or picture())

    return asyncio.run(send())


def refused(
    api_client: Any, make: Any, encoded: EncodedImage | None = None, **environ: str
) -> UploadRejected:
    with pytest.raises(UploadRejected) as caught:
        sent(api_client, make, encoded, **environ)
    return caught.value


def files(api_client: Any) -> Any:
    return lambda client: EvolinkFiles(client, api_client.sandbox.url)
