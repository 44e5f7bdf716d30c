"""Image hosts of three common kinds, each with the fields, key and responses of its kind.

Sources: https://api.imgbb.com, https://v4-docs.chevereto.com/api/1/file-upload.html, and the API
page of Lsky Pro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from PIL import Image

from seedream_api.sandbox.accounts import parse_key
from seedream_api.sandbox.exchange import HttpRequest, Refusal, Reply, json_reply
from seedream_api.sandbox.references import UnreadableImage, open_image

from .file_store import FileStore
from .multipart import Form, read_form

HOST_KEY = "host-sandbox-key"
"""The only valid key; public, and worth nothing."""
IMGBB, CHEVERETO, LSKY = "/imgbb/1/upload", "/chevereto/api/1/upload", "/lsky/api/v1/upload"


@dataclass(frozen=True)
class _StoredImage:
    """A stored image."""

    image: Image.Image
    url: str
    bytes: int


@dataclass(frozen=True)
class _Kind:
    """The requests and responses of one kind of host."""

    field: str
    key: Callable[[HttpRequest, Form], str]
    answer: Callable[[_StoredImage], dict[str, Any]]
    refusal: Callable[[int, str], Refusal]


class ImageHosts:
    """Store images for clients with the key."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def upload(self, path: str, request: HttpRequest) -> Reply:
        """Store the image of a form, as the host at ``path`` does.

        Raises:
            Refusal: in that host's error form.
        """
        kind = _KINDS[path]
        try:
            form = read_form(request.headers.get("content-type", ""), request.body)
        except ValueError:
            raise kind.refusal(400, "Empty upload source.") from None
        if kind.key(request, form) != HOST_KEY:
            raise kind.refusal(401, "Invalid API key.")
        part = form.files.get(kind.field)
        if part is None:
            raise kind.refusal(400, "Empty upload source.")
        try:
            image = open_image(part.data)
        except UnreadableImage:
            raise kind.refusal(400, "Invalid image.") from None
        media_type = f"image/{(image.format or '').lower()}"
        life = form.texts.get("expiration", "")
        expires_at = self._store.now() + int(life) if life.isdigit() and int(life) else None
        url = self._store.put(path.split("/")[1], part.data, media_type, expires_at)
        return json_reply(kind.answer(_StoredImage(image, url, len(part.data))))


def _imgbb(kept: _StoredImage) -> dict[str, Any]:
    data = {
        "id": "2ndCYJK", "url_viewer": kept.url, "url": kept.url, "display_url": kept.url,
        "width": str(kept.image.width), "height": str(kept.image.height), "size": str(kept.bytes),
        "image": {"url": kept.url, "extension": kept.url.rpartition(".")[2]},
    }  # fmt: skip
    return {"data": data, "success": True, "status": 200}


def _chevereto(kept: _StoredImage) -> dict[str, Any]:
    image = {
        "width": kept.image.width, "height": kept.image.height, "size": kept.bytes,
        "url": kept.url, "display_url": kept.url,
    }  # fmt: skip
    done = {"message": "image uploaded", "code": 200}
    return {"status_code": 200, "success": done, "image": image, "status_txt": "OK"}


def _lsky(kept: _StoredImage) -> dict[str, Any]:
    data = {"key": "a1b2", "size": kept.bytes / 1024, "links": {"url": kept.url}}
    return {"status": True, "message": "上传成功", "data": data}


def _coded(status: int, message: str) -> Refusal:
    """imgbb's and Chevereto's form; a wrong key is a 400 there."""
    error = {"message": message, "code": 100 if status == 401 else 130}
    body = {"status_code": 400, "error": error, "status_txt": "Bad Request"}
    return Refusal(json_reply(body, 400))


def _plain(status: int, message: str) -> Refusal:
    """Lsky's form: only a wrong key has its own status."""
    if status == 401:
        return Refusal(json_reply({"message": "Unauthenticated."}, 401))
    return Refusal(json_reply({"status": False, "message": message, "data": {}}))


_KINDS: Mapping[str, _Kind] = MappingProxyType({
    IMGBB: _Kind("image", lambda request, form: form.texts.get("key", ""), _imgbb, _coded),
    CHEVERETO: _Kind(
        "source", lambda request, form: request.headers.get("x-api-key", ""), _chevereto, _coded
    ),
    LSKY: _Kind("file", lambda request, form: parse_key(request.headers), _lsky, _plain),
})  # fmt: skip
PATHS = tuple(_KINDS)
