"""Images of a response: addresses in any spelling, names of fields, and what is unreadable."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from seedream_api.service.result_items import (
    BYTES_FIELDS,
    NESTED,
    URL_FIELDS,
    ItemReader,
    ResultItem,
    Unreadable,
    normalize_field_name,
)
from support.item_kit import BASE, PNG, READER, TEXT, URL, read

UNKNOWN = b"\x00new" + bytes(20)


UNKNOWN_TEXT = base64.b64encode(UNKNOWN).decode()
"""Bytes other than an image of a known kind."""


# ---- addresses ----


SPELLINGS = {
    URL: URL,
    f"  {URL}\n": URL,
    f"`{URL}`": URL,
    f"<{URL}>": URL,
    f'"{URL}"': URL,
    f"'{URL}'": URL,
    f"({URL})": URL,
    f"[{URL}]": URL,
    f"{{{URL}}}": URL,
    f"[ ({URL}) ]": URL,
    f"\ufeff{URL}\u200b": URL,
    f"![image]({URL})": URL,
    f"[download]({URL})": URL,
    f"![]( <{URL}> )": URL,
    f'![a cat]({URL} "title")': URL,
    f'<img src="{URL}" width=16>': URL,
    f"<a class=x href='{URL}'>here</a>": URL,
    f"<IMG SRC={URL}>": URL,
    f"Here is your image: {URL}.": URL,
    f"图片：{URL}，请查看": URL,
    "https:\\/\\/cdn.example.com\\/a.png": URL,
    "https%3A%2F%2Fcdn.example.com%2Fa.png": URL,
    "https%3a//cdn.example.com/a.png": URL,
    "https://cdn.example.com/a.png?x=1&amp;y=2": "https://cdn.example.com/a.png?x=1&y=2",
    "![a](https://cdn.example.com/a.png?x=1&amp;y=2)": "https://cdn.example.com/a.png?x=1&y=2",
    "HTTPS://cdn.example.com/a.png": "HTTPS://cdn.example.com/a.png",
    "https://cdn.example.com/a b.png": "https://cdn.example.com/a%20b.png",
    "https://cdn.example.com/\r\na.\tpng": URL,
    "https://cdn.example.com/no-ending": "https://cdn.example.com/no-ending",
    "//cdn.example.com/a.png": URL,
    "cdn.example.com/a.png": URL,
    "cdn.example.com:8443/x": "https://cdn.example.com:8443/x",
    "/files/a.png": f"{BASE}/files/a.png",
    "/files/a": f"{BASE}/files/a",
    "./files/a": f"{BASE}/files/a",
    "../files/a": f"{BASE}/files/a",
    "files/a.png": f"{BASE}/files/a.png",
    "a.webp?sign=1": f"{BASE}/a.webp?sign=1",
    "a.JPEG#x": f"{BASE}/a.JPEG#x",
    "![a](/files/a.png)": f"{BASE}/files/a.png",
    "https://cdn.example.com/go?to=//x": "https://cdn.example.com/go?to=//x",
}


@pytest.mark.parametrize(("spelling", "url"), SPELLINGS.items())
@pytest.mark.parametrize("build", [lambda url: url, lambda url: {"url": url}])
def test_entry_address_is_read_in_any_spelling(spelling: str, url: str, build: Any) -> None:
    assert read(build(spelling)) == [url]


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff",
                                    "avif", "heic"])  # fmt: skip
def test_entry_path_with_the_ending_of_an_image_is_joined(ending: str) -> None:
    assert read(f"out/a.{ending}") == [f"{BASE}/out/a.{ending}"]


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "null", "pending", "oss://bucket/x.png", "s3://b/x.png", "file:///tmp/x.png",
        "ftp://example.com/a.png", "javascript:alert(1)", "about:blank", "http://", "https:///a",
        "//", "http://[bad/x.png", "blob:https", "out/a.png is ready", "not an image", "output",
        "cdn.example.com", "here is a.png", "/a b.png",
        "`", "()", "mailto:a@example.com/a.png", "C:\\out\\a.png",
    ],
)  # fmt: skip
def test_entry_without_a_usable_address_is_unreadable(text: str) -> None:
    for entry in (text, {"url": text}, {"image_url": {"url": text}}, [text]):
        [item] = READER.read_items([entry])
        assert isinstance(item.problem, Unreadable) and item.error is None and not item.was_made


def test_entry_address_takes_the_scheme_of_the_service() -> None:
    local = ItemReader("http://127.0.0.1:8188/api")
    assert read("//cdn.example.com/a.png", local) == ["http://cdn.example.com/a.png"]
    assert read("/a.png", local) == ["http://127.0.0.1:8188/a.png"]
    assert read("a.png", local) == ["http://127.0.0.1:8188/api/a.png"]
    assert read("//cdn.example.com/a.png", ItemReader()) == [URL]
    assert read("cdn.example.com/a.png", ItemReader()) == [URL]
    assert read("/a.png", ItemReader()) == [None]


@pytest.mark.parametrize("between", [",", ", ", ";", " ", "\n", " and ", " | "])
def test_entry_with_several_addresses_gives_each(between: str) -> None:
    several = f"{URL}{between}{URL}?2"
    assert read(several) == [URL, f"{URL}?2"]
    assert read({"url": several}) == [URL, f"{URL}?2"]


def test_entry_with_several_links_gives_each() -> None:
    assert read(f"{URL}X, {URL}Y.") == [f"{URL}X", f"{URL}Y"]
    assert read(f"![a]({URL}) and ![b](/b.png)") == [URL, f"{BASE}/b.png"]
    assert read({"url": [URL, f"{URL}?2"]}) == [URL, f"{URL}?2"]
    assert read([[URL], [{"url": "/b.png"}]]) == [URL, f"{BASE}/b.png"]


# ---- names of fields ----


URL_NAMES = (
    "url", "URL", "image_url", "imageUrl", "Image-URL", "image_uri", "uri", "output_url",
    "result_url", "image", "img", "img_url", "src", "href", "link", "image_link", "file_url",
    "download_url", "cdn_url", "oss_url", "origin_url", "original_url", "raw_url", "public_url",
    "signed_url", "presigned_url", "media_url", "asset_url", "picture_url", "pic_url", "picture",
    "pic", "file", "path", "image_path", "location", "value",
)  # fmt: skip


BYTES_NAMES = (
    "b64_json", "B64_JSON", "b64Json", "b64", "base64", "image_base64", "image_b64", "b64_image",
    "base64_image", "binary_data_base64", "bytesBase64Encoded", "image_data", "image_bytes",
    "binary", "bytes",
)  # fmt: skip


NESTED_NAMES = (
    "data", "output", "outputs", "result", "results", "result_data", "images", "image_list",
    "image_urls", "response", "choices", "message", "messages", "delta", "content", "contents",
    "parts", "candidates", "artifacts", "items", "list", "urls", "files", "predictions",
    "inline_data", "inlineData", "source", "text",
)  # fmt: skip


def test_entry_fields_with_an_address_are_all_known() -> None:
    assert {normalize_field_name(name) for name in URL_NAMES} == set(URL_FIELDS)
    for name in URL_NAMES:
        assert read({name: URL, "index": 0}) == [URL], name
        assert read({name: {"url": URL}}) == [URL], name
        assert read({name: [URL]}) == [URL], name


def test_entry_fields_with_bytes_are_all_known() -> None:
    assert {normalize_field_name(name) for name in BYTES_NAMES} == set(BYTES_FIELDS)
    for name in BYTES_NAMES:
        assert read({name: TEXT}) == [PNG], name
        assert read({name: [TEXT]}) == [PNG], name
        # What stands where bytes do is an image, also of a kind that is not known yet.
        assert read({name: UNKNOWN_TEXT}) == [UNKNOWN], name


def test_entry_fields_one_level_deeper_are_all_known() -> None:
    assert set(NESTED_NAMES) == set(NESTED)
    for name in NESTED_NAMES:
        assert read({name: {"url": URL}}) == [URL], name
        assert read({name: [{"image_url": {"url": URL}}]}) == [URL], name
        assert read({name: f"Here: ![image]({URL})"}) == [URL], name


def test_entry_prefers_the_likeliest_name() -> None:
    other = "https://cdn.example.com/other.png"
    assert read({"path": other, "link": other, "url": URL}) == [URL]
    assert read({"url": "oss://bucket/x.png", "link": URL}) == [URL]
    assert read({"url": None, "image_url": "", "uri": [], "src": {}, "href": URL}) == [URL]
    assert read({"url": False, "image_url": 7, "uri": 1.5, "src": URL}) == [URL]
    assert read({"URL": other, "url": URL}) == [other]


# ---- bytes ----


@pytest.mark.parametrize(
    "entry",
    [
        {"b64_json": TEXT},
        {"b64_json": TEXT.rstrip("=")},
        {"b64_json": TEXT.replace("+", "-").replace("/", "_")},
        {"b64_json": f"data:image/png;base64,{TEXT}"},
        {"b64_json": f"DATA:image/png;BASE64,{TEXT}"},
        {"url": f"data:image/png;base64,{TEXT}"},
        {"url": TEXT},
        {"image": TEXT},
        {"image_url": {"url": f"data:image/png;base64,{TEXT}"}},
        {"url": None, "b64_json": TEXT},
        {"url": "", "b64_json": TEXT},
        {"url": "oss://bucket/x.png", "b64_json": TEXT},
        {"mime_type": "image/png", "data": TEXT},
        {"inlineData": {"mimeType": "image/png", "data": TEXT}},
        {"content": [{"type": "image", "source": {"type": "base64", "data": TEXT}}]},
        {"content": TEXT},
        {"text": f"data:image/png;base64,{TEXT}"},
        TEXT,
        f"data:image/png;base64,{TEXT}",
    ],
)
def test_entry_bytes_are_read_in_any_form(entry: Any) -> None:
    [item] = READER.read_items([entry])
    assert item.data == PNG and item.url is None and item.error is None and item.problem is None


def test_entry_with_address_and_bytes_keeps_both() -> None:
    [item] = READER.read_items([{"url": URL, "b64_json": TEXT}])
    assert item == ResultItem(0, URL, PNG)
    [item] = READER.read_items([{"url": URL, "data": TEXT}])
    assert item == ResultItem(0, URL, PNG)
    assert READER.read_items([{"url": URL, "data": UNKNOWN_TEXT}]) == (ResultItem(0, URL),)
    first, second = READER.read_items([{"url": [URL, f"{URL}?2"], "b64_json": TEXT}])
    assert (first.data, second.data) == (PNG, None)


@pytest.mark.parametrize("text", ["", "!!!", "bm8gaW1hZ2U=", None, 7, [], {}])
def test_entry_bytes_that_are_none_are_unreadable(text: Any) -> None:
    assert read({"b64_json": text}) == [None]
    assert read({"data": text}) == [None]
    assert read({"b64_json": text, "url": URL}) == [URL]


def test_entry_bytes_of_an_unknown_kind_need_their_field() -> None:
    for entry in (UNKNOWN_TEXT, {"url": UNKNOWN_TEXT}, {"data": UNKNOWN_TEXT},
                  {"content": UNKNOWN_TEXT}):  # fmt: skip
        assert read(entry) == [None]


def test_entry_bytes_may_stand_apart_from_the_json() -> None:
    reader = ItemReader(BASE, {"<1>": memoryview(TEXT.encode())})
    assert read({"b64_json": "<1>"}, reader) == [PNG]
    assert read({"url": "<1>"}, reader) == [PNG]


def test_repr_of_an_item_holds_neither_link_nor_bytes() -> None:
    shown = repr(ResultItem(3, url=URL, data=b"bytes"))
    assert "position=3" in shown and URL not in shown and "bytes" not in shown
