"""Image hosts of three common kinds, each with the fields, the key and the answers of its kind.

Sources: https://api.imgbb.com, https://v4-docs.chevereto.com/api/1/file-upload.html, and the API
page of Lsky Pro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from PIL import Image

from .accounts import key_in
from .journal import TakenRequest
from .multipart import Form, read_form
from .references import UnreadableImage, opened
from .replies import Refusal, Reply, json_reply
from .shelf import Shelf

HOST_KEY = "host-sandbox-key"
"""The one key that they know; public, and worth nothing."""
IMGBB, CHEVERETO, LSKY = "/imgbb/1/upload", "/chevereto/api/1/upload", "/lsky/api/v1/upload"


@dataclass(frozen=True)
class _Kept:
    """A picture that was taken."""

    image: Image.Image
    url: str
    bytes: int


@dataclass(frozen=True)
class _Kind:
    """How one kind of host is asked, and how it answers."""

    field: str
    key: Callable[[TakenRequest, Form], str]
    answer: Callable[[_Kept], dict[str, Any]]
    refusal: Callable[[int, str], Refusal]


class PictureHosts:
    """Takes pictures for everyone who has the key."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def upload(self, path: str, request: TakenRequest) -> Reply:
        """Keep the one picture of a form, as the host at ``path`` does.

        Raises:
            Refusal: in that host's own form.
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
            image = opened(part.data)
        except UnreadableImage:
            raise kind.refusal(400, "Invalid image.") from None
        media_type = f"image/{(image.format or '').lower()}"
        life = form.texts.get("expiration", "")
        expires_at = self._shelf.now() + int(life) if life.isdigit() and int(life) else None
        url = self._shelf.put(path.split("/")[1], part.data, media_type, expires_at)
        return json_reply(kind.answer(_Kept(image, url, len(part.data))))


def _imgbb(kept: _Kept) -> dict[str, Any]:
    data = {
        "id": "2ndCYJK", "url_viewer": kept.url, "url": kept.url, "display_url": kept.url,
        "width": str(kept.image.width), "height": str(kept.image.height), "size": str(kept.bytes),
        "image": {"url": kept.url, "extension": kept.url.rpartition(".")[2]},
    }  # fmt: skip
    return {"data": data, "success": True, "status": 200}


def _chevereto(kept: _Kept) -> dict[str, Any]:
    image = {
        "width": kept.image.width, "height": kept.image.height, "size": kept.bytes,
        "url": kept.url, "display_url": kept.url,
    }  # fmt: skip
    done = {"message": "image uploaded", "code": 200}
    return {"status_code": 200, "success": done, "image": image, "status_txt": "OK"}


def _lsky(kept: _Kept) -> dict[str, Any]:
    data = {"key": "a1b2", "size": kept.bytes / 1024, "links": {"url": kept.url}}
    return {"status": True, "message": "上传成功", "data": data}


def _coded(status: int, message: str) -> Refusal:
    """imgbb's and Chevereto's form; a wrong key is a 400 there."""
    error = {"message": message, "code": 100 if status == 401 else 130}
    body = {"status_code": 400, "error": error, "status_txt": "Bad Request"}
    return Refusal(json_reply(body, 400))


def _plain(status: int, message: str) -> Refusal:
    """Lsky's form: only a wrong key has a status of its own."""
    if status == 401:
        return Refusal(json_reply({"message": "Unauthenticated."}, 401))
    return Refusal(json_reply({"status": False, "message": message, "data": {}}))


_KINDS: Mapping[str, _Kind] = MappingProxyType({
    IMGBB: _Kind("image", lambda request, form: form.texts.get("key", ""), _imgbb, _coded),
    CHEVERETO: _Kind(
        "source", lambda request, form: request.headers.get("x-api-key", ""), _chevereto, _coded
    ),
    LSKY: _Kind("file", lambda request, form: key_in(request.headers), _lsky, _plain),
})  # fmt: skip
PATHS = tuple(_KINDS)
