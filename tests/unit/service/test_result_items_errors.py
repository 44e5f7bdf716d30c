"""Prose, errors and bounds among the entries of a result."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.service.result_items import (
    MAX_DEPTH,
    MAX_ENTRIES,
    ItemReader,
)
from seedream_api.service.stated_errors import ServiceError
from support.item_kit import BASE, PNG, READER, TEXT, URL, read

# ---- prose ----


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"![image]({URL})", URL),
        (URL, URL),
        (f"  <{URL}>  ", URL),
        ("https://cdn.example.com/x?y=1", "https://cdn.example.com/x?y=1"),
        (f"see https://docs.example.com/terms and {URL} please", URL),
        (f'<img src="{URL}"/>', URL),
        (f"data:image/png;base64,{TEXT}", PNG),
    ],
)
def test_entry_prose_gives_only_what_is_an_image(text: str, found: str | bytes) -> None:
    for entry in ({"content": text}, {"message": {"content": text}}, {"text": text}):
        assert read(entry) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://docs.example.com/terms apply",
        "see https://docs.example.com/terms please",
        "a.png",
        "/a.png",
        "SGVsbG8=",
    ],
)
def test_entry_prose_without_an_image_is_unreadable(text: str) -> None:
    assert read({"content": text}) == [None]
    assert read({"text": text, "content": [{"text": URL}]}) == [URL]


# ---- errors and unreadable entries ----


@pytest.mark.parametrize("entry", [None, 7, 0, True, 1.5, [], {}, "", {"index": 0},
                                   {"url": None}, {"data": []}, {"output": {}}])  # fmt: skip
def test_entry_that_is_not_an_image_keeps_its_place(entry: Any) -> None:
    items = READER.read_items([entry, {"url": URL}])
    assert [item.position for item in items] == [0, 1]
    assert items[0].problem is not None and items[0].error is None and items[1].url == URL


def test_entry_error_is_the_service_statement() -> None:
    stated = {"error": {"code": "InvalidParameter", "message": "no"}}
    for entry in (stated, {**stated, "url": ""}, {**stated, "data": [None]}):
        [item] = READER.read_items([entry])
        assert item.error == ServiceError("no", "InvalidParameter") and item.problem is None
    assert read({**stated, "url": URL}) == [URL]
    assert read({**stated, "data": [{"url": URL}]}) == [URL]


def test_entry_error_one_level_deeper_counts() -> None:
    [item] = READER.read_items([{"output": [{"error": "no face"}]}])
    assert item.error == ServiceError("no face")
    [item] = READER.read_items([{"output": [{"error": "no face"}], "results": [{"url": URL}]}][:1])[
        -1:
    ]
    assert item.url == URL


def test_entry_with_a_sent_reference_is_an_echo() -> None:
    reader = ItemReader(BASE, sent=frozenset({URL, TEXT}))
    assert read(URL, reader) == [None]
    assert read({"url": URL}, reader) == [None]
    assert read(TEXT, reader) == [None]
    assert read(f"{URL} {URL}?2", reader) == [f"{URL}?2"]
    assert read({"url": URL, "image_url": f"{URL}?2"}, reader) == [f"{URL}?2"]


# ---- bounds ----


def test_entries_are_read_only_so_many() -> None:
    assert MAX_ENTRIES == 1_000
    many = READER.read_items([URL] * 1_500)
    assert len(many) == 1_000 and many[-1].position == 999
    assert len(READER.read_items([[URL] * 1_500])) == 1_000


@pytest.mark.parametrize(
    ("build", "leaf", "most"),
    [
        (lambda inner: [inner], URL, 8),
        (lambda inner: {"url": inner}, URL, 8),
        (lambda inner: {"image": [inner]}, URL, 4),
        (lambda inner: {"data": inner}, {"url": URL}, 7),
        (lambda inner: {"output": [inner]}, {"url": URL}, 3),
    ],
)
def test_entries_are_read_only_so_deep(build: Any, leaf: Any, most: int) -> None:
    """Nesting of thousands of levels does not end the reader with an exception."""
    assert MAX_DEPTH == 8

    def nested(levels: int) -> Any:
        entry = leaf
        for _ in range(levels):
            entry = build(entry)
        return entry

    assert READER.has_image(nested(most))
    for levels in (most + 1, 40, 900, 5_000):
        assert not READER.has_image(nested(levels))


def test_entries_of_an_empty_place_are_none() -> None:
    assert READER.read_items([]) == () and not READER.has_image([])
    assert READER.has_image(URL) and not READER.has_image("a cat")
