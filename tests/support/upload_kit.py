"""Sessions with each upload target."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api import (
    pixels_reference,
)
from seedream_api.uploads import evolink
from support.fake_service import FILES_KEY, HOST_KEY

PREFERENTIAL, EVOLINK = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"


COLOURS = ("red", "green", "blue", "white", "black", "cyan", "orange")


def pixels(colour: str = "red", size: tuple[int, int] = (32, 24)) -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", size, colour)), colour)


def png(size: tuple[int, int] = (32, 24)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "gray").save(out, "PNG")
    return out.getvalue()


def colour_of(data: bytes) -> Any:
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((5, 5))


def requests_to(api_client: Any, method: str, part: str) -> list[Any]:
    return [r for r in api_client.sandbox.requests if r.method == method and part in r.path]


def evolink_files(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(evolink, "FILES_ADDRESS", api_client.sandbox.url)
    return {"SEEDREAM_UPLOAD": "evolink", "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY}


def host_settings(api_client: Any, kind: str) -> dict[str, str]:
    own = {
        "imgbb": {"SEEDREAM_UPLOAD_HTTP_FIELDS": f'{{"key": "{HOST_KEY}"}}'},
        "chevereto": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"X-API-Key": "{HOST_KEY}"}}'},
        "lsky": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"Authorization": "Bearer {HOST_KEY}"}}'},
    }[kind]
    url = f"{kind}+{api_client.sandbox.url}/{kind}"
    return {"SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": url, **own}
