"""Read the images out of one place of a response: addresses in any spelling, and bytes.

An entry is read by the names of its fields. What holds no image becomes the error that the service
gave for it, or :class:`~.models.Unreadable`; the two are never mixed up.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote, urljoin, urlsplit

from ..messages import Text
from .inline_images import decode_image
from .models import ResultItem, Unreadable
from .stated_errors import parse_error

MAX_ENTRIES = 1_000
"""Of one place. The service makes 15 images at most; millions of entries would take minutes."""
MAX_DEPTH = 8
"""Levels of lists and objects in one place; what lies deeper is not read."""

URL_FIELDS = (
    "url", "imageurl", "imageuri", "uri", "outputurl", "resulturl", "image", "img", "imgurl",
    "src", "href", "link", "imagelink", "fileurl", "downloadurl", "cdnurl", "ossurl", "originurl",
    "originalurl", "rawurl", "publicurl", "signedurl", "presignedurl", "mediaurl", "asseturl",
    "pictureurl", "picurl", "picture", "pic", "file", "path", "imagepath", "location", "value",
)  # fmt: skip
"""Names of fields with an address, lower case and without ``_`` and ``-``; the likeliest first."""
BYTES_FIELDS = (
    "b64json", "b64", "base64", "imagebase64", "imageb64", "b64image", "base64image",
    "binarydatabase64", "bytesbase64encoded", "imagedata", "imagebytes", "binary", "bytes",
)  # fmt: skip
NESTED = (
    "data", "output", "outputs", "result", "results", "result_data", "images", "image_list",
    "image_urls", "response", "choices", "message", "messages", "delta", "content", "contents",
    "parts", "candidates", "artifacts", "items", "list", "urls", "files", "predictions",
    "inline_data", "inlineData", "source", "text",
)  # fmt: skip
"""Names under which the images of an entry may stand one level deeper."""

_IMAGE_PATH = re.compile(r"\.(?:png|jpe?g|webp|gif|bmp|tiff?|avif|heic)(?:[?#]|$)", re.IGNORECASE)
_HTTP = re.compile(r"https?://", re.IGNORECASE)
_LINK = re.compile(
    r"!?\[[^\]]*\]\(\s*<?([^\s)>]+)>?[^)]*\)|<(?:img|a)\b[^>]*?(?:src|href)\s*=\s*[\"']?([^\s\"'>]+)",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"https?://[^\s\"'<>`，。；、）】|]+", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/\S+", re.IGNORECASE)
_WRAPPED = " \t\r\n`'\"<>\u200b\ufeff"


@dataclass(frozen=True)
class ItemReader:
    """What reading entries needs to know.

    Args:
        base_url: where the service answers; relative addresses are joined with it.
        blobs: see :class:`~.bodies.Body`.
        sent: addresses of our own references: where they stand they are an echo, not a result.
    """

    base_url: str = ""
    blobs: Mapping[str, memoryview] = field(default_factory=dict[str, memoryview])
    sent: Container[str] = ()

    def items(self, place: Any) -> tuple[ResultItem, ...]:
        """Read every entry of a place, in order."""
        found = self._entries(place, MAX_DEPTH) if place != [] else ()
        return tuple(
            ResultItem(position, item.url, item.data, item.error, item.problem)
            for position, item in zip(range(MAX_ENTRIES), found, strict=False)
        )

    def has_image(self, entry: Any) -> bool:
        """Whether an entry, or a text that stands in place of a list, holds an image."""
        return any(item.was_made for item in self._entries(entry, MAX_DEPTH))

    def _entries(self, entry: Any, depth: int) -> Iterator[ResultItem]:
        if isinstance(entry, list) and entry and depth > 0:
            for each in cast("list[Any]", entry)[:MAX_ENTRIES]:
                yield from self._entries(each, depth - 1)
        elif isinstance(entry, dict) and depth > 0:
            yield from self._of_fields(cast("dict[str, Any]", entry), depth)
        elif isinstance(entry, str):
            yield from self._of_text(entry)
        else:
            yield _unreadable(Text("item_not_image"))

    def _of_fields(self, entry: dict[str, Any], depth: int) -> Iterator[ResultItem]:
        named = {plain_name(name): name for name in reversed(entry)}
        data = self._bytes_of(entry, named)
        for name in URL_FIELDS:
            value = entry[named[name]] if name in named else None
            if value in (None, "", [], {}) or isinstance(value, (bool, int, float)):
                continue
            items = [item for item in self._entries(value, depth - 1) if item.was_made]
            if items:
                yield ResultItem(0, url=items[0].url, data=items[0].data or data)
                yield from items[1:]
                return
        if data is not None:
            yield ResultItem(0, data=data)
            return
        error = parse_error(entry)
        nested = list(self._nested(entry, depth))
        if any(item.was_made for item in nested) or (nested and error is None):
            yield from nested
        elif error is not None:
            yield ResultItem(0, error=error)
        else:
            yield _unreadable(Text("item_without_image"))

    def _nested(self, entry: dict[str, Any], depth: int) -> Iterator[ResultItem]:
        for name in NESTED:
            if isinstance(entry.get(name), (dict, list)):
                items = list(self._entries(entry[name], depth - 1))
            elif isinstance(entry.get(name), str):
                items = [item for item in self._of_prose(entry[name]) if item.was_made]
            else:
                continue
            if items:
                yield from items
                if any(item.was_made for item in items):
                    return

    def _bytes_of(self, entry: dict[str, Any], named: Mapping[str, str]) -> bytes | None:
        for name in BYTES_FIELDS:
            for value in _flat(entry[named[name]] if name in named else None):
                data = self._decoded(value, is_certain=True)
                if data is not None:
                    return data
        if isinstance(entry.get("data"), str):  # beside a media type, as Gemini sends it
            return self._decoded(entry["data"], is_certain=False)
        return None

    def _decoded(self, value: Any, *, is_certain: bool) -> bytes | None:
        if not isinstance(value, str) or not value:
            return None
        return decode_image(self.blobs.get(value, value), is_certain=is_certain)

    # --- text -------------------------------------------------------------------------------------

    def _of_text(self, text: str) -> Iterator[ResultItem]:
        """Read a text that stands where an address does."""
        data = None if text in self.sent else self._decoded(text, is_certain=False)
        if data is not None:
            yield ResultItem(0, data=data)
            return
        found = list(self._addresses(text))
        fresh = [url for url in found if url not in self.sent]
        yield from (ResultItem(0, url=url) for url in fresh)
        if not fresh:
            yield _unreadable(Text("item_without_url"))

    def _of_prose(self, text: str) -> Iterator[ResultItem]:
        """Read a text that may speak of other things too: only what is surely an image counts."""
        links = [match[1] or match[2] for match in _LINK.finditer(text)]
        alone = _bare(text)
        if not links and (_HTTP.match(alone) and not re.search(r"\s", alone)):
            links = [alone]
        links = links or [url for url in _INSIDE.findall(text) if _IMAGE_PATH.search(url)]
        for link in links or [text]:
            yield from self._of_text(link) if links else self._inline(text)

    def _inline(self, text: str) -> Iterator[ResultItem]:
        data = self._decoded(text, is_certain=False)
        if data is not None:
            yield ResultItem(0, data=data)

    def _addresses(self, text: str) -> Iterator[str]:
        plain = _bare(text)
        if re.match(r"https?%3a(?:%2f|/)", plain, re.IGNORECASE):
            plain = unquote(plain)
        links = [match[1] or match[2] for match in _LINK.finditer(html.unescape(text))]
        if links:
            for link in links:
                yield from self._addresses(link)
        elif len(_HTTP.findall(plain)) == 1 and _HTTP.match(plain):
            yield from _with_host(re.sub(r"[\r\n\t]", "", plain).replace(" ", "%20"))
        elif _HTTP.search(plain):
            for several in _INSIDE.findall(re.sub(r"[,;]\s*(?=https?://)", " ", plain)):
                yield from _with_host(several.rstrip(".,;"))
        else:
            yield from self._joined(plain)

    def _joined(self, plain: str) -> Iterator[str]:
        """Join an address that leaves out its beginning with the service's."""
        if (
            not plain
            or re.search(r"\s", plain)
            or re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", plain, re.I)
        ):
            return
        scheme = urlsplit(self.base_url).scheme or "https"
        if _BARE_HOST.fullmatch(plain):
            yield from _with_host(f"{scheme}://{plain}")
        elif plain.startswith("//"):
            yield from _with_host(f"{scheme}:{plain}")
        elif self.base_url and (plain.startswith(("/", "./", "../")) or _IMAGE_PATH.search(plain)):
            yield from _with_host(urljoin(f"{self.base_url}/", plain))


def plain_name(name: str) -> str:
    """The name of a field whatever its spelling: ``image_url``, ``imageUrl``, ``Image-URL``."""
    return name.lower().replace("_", "").replace("-", "")


def _bare(text: str) -> str:
    """The text without quotes, and without brackets that enclose all of it."""
    text = html.unescape(text).replace("\\/", "/").strip(_WRAPPED)
    while text[:1] + text[-1:] in ("()", "[]", "{}"):
        text = text[1:-1].strip(_WRAPPED)
    return text


def _with_host(url: str) -> Iterator[str]:
    try:
        if urlsplit(url).hostname:
            yield url
    except ValueError:  # brackets that hold no address
        return


def _flat(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _unreadable(reason: str) -> ResultItem:
    return ResultItem(0, problem=Unreadable(reason))
