"""Calls of the sandbox over HTTP."""

from __future__ import annotations

import base64
import http.client
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from support.fake_service import (
    SANDBOX_KEY,
    FakeService,
)

GENERATE = "/v1/images/generations"


START = 1_769_263_230.0


NOW_5, NOW_45 = "Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential"


LATER_5, LATER_45, LATER_40 = "Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0"


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


@dataclass
class Caller:
    """Calls one sandbox, with a new connection per request."""

    sandbox: FakeService
    key: str | None = SANDBOX_KEY

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None and not path.startswith(("/results/", "/sandbox/images/")):
            sent.setdefault("Authorization", f"Bearer {self.key}")
        try:
            connection.request(method, path, body=body, headers=sent)
            got = connection.getresponse()
            lowered = {name.lower(): value for name, value in got.getheaders()}
            return Response(got.status, lowered, got.read())
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Response:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self.ask("GET", path, **headers)

    def post(self, **fields: Any) -> Response:
        body = json.dumps({"model": LATER_40, "prompt": "A cat", **fields}).encode()
        return self.ask("POST", GENERATE, body, Content_Type="application/json")

    def task(self, **fields: Any) -> str:
        response = self.post(**fields)
        assert response.status == 200, response.body
        return f"/v1/images/Seedream/{response.json['id']}"

    def finished(self, **fields: Any) -> list[dict[str, Any]]:
        path = self.task(**fields)
        self.sandbox.finish_tasks()
        return self.get(path).json["output"]["data"]

    def upload(self, data: bytes) -> str:
        response = self.ask("POST", "/sandbox/images", data)
        assert response.status == 200, response.body
        return response.json["url"]


def picture(size: tuple[int, int] = (64, 48), kind: str = "PNG", colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size
