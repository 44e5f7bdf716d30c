"""A response read from its bytes to what it says."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from typing import Any

import pytest

from seedream_api.config.settings import load_settings
from seedream_api.kept_response import KeptResponse
from seedream_api.network.transport import HttpResponse
from seedream_api.service import reading
from seedream_api.service.client import SeedreamClient
from seedream_api.service.reading import INLINE_BYTES, parse_http_response, parse_off_loop
from seedream_api.service.responses import ServiceResponse
from seedream_api.service.result_items import ItemReader
from seedream_api.service.stated_errors import ServiceError
from support.crafted_images import saved

PNG = saved("PNG")
KEY = "sk-secret-77"
READER = ItemReader("https://api.example.com")


def respond(body: bytes, http: int = 200, **fields: Any) -> ServiceResponse:
    return parse_http_response(
        HttpResponse(http, fields.pop("headers", {}), body, **fields), READER, KEY
    )


def test_response_that_is_the_image_itself_is_made() -> None:
    for body in (PNG, gzip.compress(PNG)):
        answer = respond(body)
        assert [item.data for item in answer.items] == [PNG] and answer.names_results
        assert answer.items[0].position == 0
    assert not respond(b"GIF is a format").has_images


def test_response_keeps_status_id_and_what_was_read() -> None:
    body = json.dumps({"id": "task-1", "echo": f"Bearer {KEY}"}).encode()
    answer = respond(gzip.compress(body), 202, headers={"x-request-id": "req-7"})
    assert (answer.http, answer.request_id, answer.task_id) == (202, "req-7", "task-1")
    assert KEY.encode() not in answer.body and b"task-1" in answer.body
    assert parse_http_response(HttpResponse(200, {}, body), READER, "").body == body


def test_response_addresses_are_joined_with_the_service() -> None:
    assert respond(b'{"data": [{"url": "/a.png"}]}').items[0].url == "https://api.example.com/a.png"


@pytest.mark.parametrize(
    ("body", "cut", "is_whole"),
    [
        (b'{"id": "task-1"}', None, True),
        (b'{"id": "task-1"}', "the connection was cut", True),
        (b'{"id": "task-1"', None, False),
        (b'{"id": "task-1"', "the connection was cut", False),
        (b"", None, True),
        (b"", "the connection was cut", False),
        (b"no JSON", None, True),
        (b"no JSON", "the connection was cut", False),
    ],
)
def test_response_is_whole_where_its_json_is(body: bytes, cut: str | None, is_whole: bool) -> None:
    answer = respond(body, cut=cut)
    assert answer.is_whole is is_whole and answer.cut == cut
    if body[:1] == b"{":
        assert answer.task_id == "task-1"


@pytest.mark.parametrize("http", [300, 301, 302, 307, 308, 399])
def test_response_that_redirects_says_where(http: int) -> None:
    moved = respond(b'{"message": "m"}', http, headers={"location": "https://x.example/"})
    assert moved.envelope_error == ServiceError("https://x.example/")
    assert respond(b'{"message": "m"}', http).envelope_error.is_empty


@pytest.mark.parametrize("http", [299, 400])
def test_response_other_than_redirect_keeps_its_words(http: int) -> None:
    answer = respond(b'{"message": "m"}', http, headers={"location": "https://x.example/"})
    assert answer.envelope_error == ServiceError("m")


FORMS = {
    "events": b'event: x\ndata: {"data": [{"url": "https://x.example/a.png"}]}\n\ndata: [DONE]\n\n',
    "pings": b': PING\n\n: PING\n\n{"data": [{"url": "https://x.example/a.png"}]}\n: PING\n',
    "control characters": b'{"data": [{"url": "https://x.example/a.png", "text": "\x01\n"}]}',
    "text before": b'upstream says {"data": [{"url": "https://x.example/a.png"}]}',
    "two": b'{"code": 0, "message": "ok"}{"data": [{"url": "https://x.example/a.png"}]}',
    "gzip": gzip.compress(b'{"data": [{"url": "https://x.example/a.png"}]}'),
    "gzip with a wrong end": gzip.compress(b'{"data": [{"url": "https://x.example/a.png"}]}')[:-8]
    + bytes(8),
    "torn": b'{"data": [{"url": "https://x.example/a.png"}, {"url": "https://x.exam',
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}])
def test_response_of_any_form_gives_its_image(name: str, headers: Any) -> None:
    answer = respond(FORMS[name], headers=headers)
    assert [item.url for item in answer.items if item.was_made] == ["https://x.example/a.png"]


@pytest.mark.parametrize("size", [INLINE_BYTES - 1, INLINE_BYTES])
def test_large_response_is_read_in_a_thread(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert INLINE_BYTES == 128 * 1024
    readers = list[threading.Thread]()

    def note(response: HttpResponse, reader: ItemReader, secret: str) -> ServiceResponse:
        readers.append(threading.current_thread())
        return parse_http_response(response, reader, secret)

    monkeypatch.setattr(reading, "parse_http_response", note)
    body = b'{"id": "task-1"}'.ljust(size)
    answer = asyncio.run(parse_off_loop(HttpResponse(200, {}, body), READER, KEY))
    assert answer.task_id == "task-1"
    assert (readers == [threading.main_thread()]) == (size < INLINE_BYTES)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_cut_image_counts_only_with_its_own_end(kind: str) -> None:
    image = saved(kind)
    for missing in (1, 4, 40):
        assert not respond(image[:-missing], cut="the connection was cut").has_images
    read = respond(image + b"\0", cut="the connection was cut")
    assert read.has_images and read.items[0].data == image + b"\0"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_image_without_its_end_is_not_taken_as_whole(kind: str) -> None:
    assert respond(saved(kind)).has_images and not respond(saved(kind)[:-1]).has_images


def test_kept_image_that_was_cut_is_not_read_as_whole() -> None:
    client, image = SeedreamClient(load_settings(environ={"DEEPSPACE_API_KEY": KEY})), saved("PNG")
    assert not client.reread(KeptResponse(200, image[:-1], "it was cut")).has_images
    assert not client.reread(KeptResponse(200, image[:-1], truncated=True)).has_images
    assert client.reread(KeptResponse(200, image, "it was cut")).has_images
    assert client.reread(KeptResponse(200, image)).has_images
