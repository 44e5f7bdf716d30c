"""Read the images in one field of a response: URLs in any spelling, or bytes.

An entry is read by the names of its fields. An entry without an image becomes the error that the
service stated for it, or :class:`Unreadable`; the two are kept apart.
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
from .stated_errors import ServiceError, parse_error

MAX_ENTRIES = 1_000
"""Per field. The service makes far fewer images; reading millions of entries takes minutes."""
MAX_DEPTH = 8
"""Levels of nested lists and objects that are read per field."""

URL_FIELDS = (
    "url", "imageurl", "imageuri", "uri", "outputurl", "resulturl", "image", "img", "imgurl",
    "src", "href", "link", "imagelink", "fileurl", "downloadurl", "cdnurl", "ossurl", "originurl",
    "originalurl", "rawurl", "publicurl", "signedurl", "presignedurl", "mediaurl", "asseturl",
    "pictureurl", "picurl", "picture", "pic", "file", "path", "imagepath", "location", "value",
)  # fmt: skip
"""Normalized names of fields with a URL, the most likely first."""
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
"""Fields that may hold the images of an entry one level deeper."""

_IMAGE_PATH = re.compile(r"\.(?:png|jpe?g|webp|gif|bmp|tiff?|avif|heic)(?:[?#]|$)", re.IGNORECASE)
_HTTP = re.compile(r"https?://", re.IGNORECASE)
_LINK = re.compile(
    r"!?\[[^\]]*\]\(\s*<?([^\s)>]+)>?[^)]*\)|<(?:img|a)\b[^>]*?(?:src|href)\s*=\s*[\"']?([^\s\"'>]+)",
    re.IGNORECASE,
)
_URL_IN_TEXT = re.compile(r"https?://[^\s\"'<>`，。；、）】|]+", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/\S+", re.IGNORECASE)
_WRAPPING = " \t\r\n`'\"<>\u200b\ufeff"


@dataclass(frozen=True)
class Unreadable:
    """Why the reader finds no image in an entry; it does not imply an error of the service."""

    reason: str


@dataclass(frozen=True)
class ResultItem:
    """One entry of a response.

    It has a URL, the image's bytes, or both; otherwise the error that the service stated for it,
    or the reason why it cannot be read.

    Args:
        position: its index in the response, from 0.
    """

    position: int
    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    error: ServiceError | None = None
    problem: Unreadable | None = None

    @property
    def was_made(self) -> bool:
        return self.url is not None or self.data is not None


@dataclass(frozen=True)
class ItemReader:
    """Reads the entries of a response.

    Args:
        base_url: the address of the service, which relative URLs are joined with.
        blobs: see :class:`~.bodies.Body`.
        sent: URLs of the request's references, which are an echo and not a result.
    """

    base_url: str = ""
    blobs: Mapping[str, memoryview] = field(default_factory=dict[str, memoryview])
    sent: Container[str] = ()

    def read_items(self, value: Any) -> tuple[ResultItem, ...]:
        """Read every entry of a field, in order."""
        found = self._read_entry(value, MAX_DEPTH) if value != [] else ()
        return tuple(
            ResultItem(position, item.url, item.data, item.error, item.problem)
            for position, item in zip(range(MAX_ENTRIES), found, strict=False)
        )

    def has_image(self, entry: Any) -> bool:
        """Return whether an entry, or a text in place of a list, contains an image."""
        return any(item.was_made for item in self._read_entry(entry, MAX_DEPTH))

    def _read_entry(self, entry: Any, depth: int) -> Iterator[ResultItem]:
        if isinstance(entry, list) and entry and depth > 0:
            for each in cast("list[Any]", entry)[:MAX_ENTRIES]:
                yield from self._read_entry(each, depth - 1)
        elif isinstance(entry, dict) and depth > 0:
            yield from self._read_fields(cast("dict[str, Any]", entry), depth)
        elif isinstance(entry, str):
            yield from self._read_text(entry)
        else:
            yield _build_unreadable(Text("item_not_image"))

    def _read_fields(self, entry: dict[str, Any], depth: int) -> Iterator[ResultItem]:
        named = {normalize_field_name(name): name for name in reversed(entry)}
        data = self._find_bytes(entry, named)
        for name in URL_FIELDS:
            value = entry[named[name]] if name in named else None
            if value in (None, "", [], {}) or isinstance(value, (bool, int, float)):
                continue
            items = [item for item in self._read_entry(value, depth - 1) if item.was_made]
            if items:
                yield ResultItem(0, url=items[0].url, data=items[0].data or data)
                yield from items[1:]
                return
        if data is not None:
            yield ResultItem(0, data=data)
            return
        error = parse_error(entry)
        nested = list(self._read_nested(entry, depth))
        if any(item.was_made for item in nested) or (nested and error is None):
            yield from nested
        elif error is not None:
            yield ResultItem(0, error=error)
        else:
            yield _build_unreadable(Text("item_without_image"))

    def _read_nested(self, entry: dict[str, Any], depth: int) -> Iterator[ResultItem]:
        for name in NESTED:
            if isinstance(entry.get(name), (dict, list)):
                items = list(self._read_entry(entry[name], depth - 1))
            elif isinstance(entry.get(name), str):
                items = [item for item in self._read_prose(entry[name]) if item.was_made]
            else:
                continue
            if items:
                yield from items
                if any(item.was_made for item in items):
                    return

    def _find_bytes(self, entry: dict[str, Any], named: Mapping[str, str]) -> bytes | None:
        for name in BYTES_FIELDS:
            for value in _to_list(entry[named[name]] if name in named else None):
                data = self._decode(value, is_certain=True)
                if data is not None:
                    return data
        if isinstance(entry.get("data"), str):  # next to a media type, as Gemini sends it
            return self._decode(entry["data"], is_certain=False)
        return None

    def _decode(self, value: Any, *, is_certain: bool) -> bytes | None:
        if not isinstance(value, str) or not value:
            return None
        return decode_image(self.blobs.get(value, value), is_certain=is_certain)

    # --- text -------------------------------------------------------------------------------------

    def _read_text(self, text: str) -> Iterator[ResultItem]:
        """Read a text from a field for URLs."""
        data = None if text in self.sent else self._decode(text, is_certain=False)
        if data is not None:
            yield ResultItem(0, data=data)
            return
        found = list(self._find_urls(text))
        fresh = [url for url in found if url not in self.sent]
        yield from (ResultItem(0, url=url) for url in fresh)
        if not fresh:
            yield _build_unreadable(Text("item_without_url"))

    def _read_prose(self, text: str) -> Iterator[ResultItem]:
        """Read the unambiguous images of a text that may be about other things too."""
        links = [match[1] or match[2] for match in _LINK.finditer(text)]
        alone = _strip_wrapping(text)
        if not links and (_HTTP.match(alone) and not re.search(r"\s", alone)):
            links = [alone]
        links = links or [url for url in _URL_IN_TEXT.findall(text) if _IMAGE_PATH.search(url)]
        for link in links or [text]:
            yield from self._read_text(link) if links else self._read_inline(text)

    def _read_inline(self, text: str) -> Iterator[ResultItem]:
        data = self._decode(text, is_certain=False)
        if data is not None:
            yield ResultItem(0, data=data)

    def _find_urls(self, text: str) -> Iterator[str]:
        plain = _strip_wrapping(text)
        if re.match(r"https?%3a(?:%2f|/)", plain, re.IGNORECASE):
            plain = unquote(plain)
        links = [match[1] or match[2] for match in _LINK.finditer(html.unescape(text))]
        if links:
            for link in links:
                yield from self._find_urls(link)
        elif len(_HTTP.findall(plain)) == 1 and _HTTP.match(plain):
            yield from _yield_if_host(re.sub(r"[\r\n\t]", "", plain).replace(" ", "%20"))
        elif _HTTP.search(plain):
            for several in _URL_IN_TEXT.findall(re.sub(r"[,;]\s*(?=https?://)", " ", plain)):
                yield from _yield_if_host(several.rstrip(".,;"))
        else:
            yield from self._complete_url(plain)

    def _complete_url(self, plain: str) -> Iterator[str]:
        """Complete a relative URL, or one without a scheme, from ``base_url``."""
        if (
            not plain
            or re.search(r"\s", plain)
            or re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", plain, re.I)
        ):
            return
        scheme = urlsplit(self.base_url).scheme or "https"
        if _BARE_HOST.fullmatch(plain):
            yield from _yield_if_host(f"{scheme}://{plain}")
        elif plain.startswith("//"):
            yield from _yield_if_host(f"{scheme}:{plain}")
        elif self.base_url and (plain.startswith(("/", "./", "../")) or _IMAGE_PATH.search(plain)):
            yield from _yield_if_host(urljoin(f"{self.base_url}/", plain))


def normalize_field_name(name: str) -> str:
    """Normalize a field name: ``image_url``, ``imageUrl`` and ``Image-URL`` become ``imageurl``."""
    return name.lower().replace("_", "").replace("-", "")


def _strip_wrapping(text: str) -> str:
    """Strip quotes, and brackets that enclose the whole text."""
    text = html.unescape(text).replace("\\/", "/").strip(_WRAPPING)
    while text[:1] + text[-1:] in ("()", "[]", "{}"):
        text = text[1:-1].strip(_WRAPPING)
    return text


def _yield_if_host(url: str) -> Iterator[str]:
    try:
        if urlsplit(url).hostname:
            yield url
    except ValueError:  # brackets that do not enclose an IPv6 address
        return


def _to_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _build_unreadable(reason: str) -> ResultItem:
    return ResultItem(0, problem=Unreadable(reason))
