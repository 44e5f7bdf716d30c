"""Image hosts with presets and with settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seedream_api import ConfigurationError, UploadFailed, pixels_reference
from seedream_api.service.client import SeedreamClient
from seedream_api.uploads.image_host import HttpHost
from support.fake_service import HOST_KEY, Json, Status, WrongType
from support.fake_service.multipart import read_form
from support.host_kit import refused, sent

MODEL = "Seedream-4.0"


def host(api_client: Any, **settings: str) -> dict[str, str]:
    base = {"URL": f"imgbb+{api_client.sandbox.url}/imgbb", "FIELDS": f'{{"key": "{HOST_KEY}"}}'}
    return {f"SEEDREAM_UPLOAD_HTTP_{name}": value for name, value in {**base, **settings}.items()}


def test_host_without_a_preset_is_described_by_settings(api_client: Any) -> None:
    url = f"{api_client.sandbox.url}/imgbb/1/upload?folder=refs"
    answer = {"files": [{"links": {"url": "https://cdn.example.com/a.png#x"}}]}
    api_client.sandbox.faults.push("host", Status(201, answer))
    described = host(
        api_client, URL=url, FIELD="picture", RESULT="files.0.links.url",
        HEADERS='{"X-Token": "abcdef"}', FIELDS='{"album": 7}',
    )  # fmt: skip
    placed = sent(api_client, HttpHost, **described)
    assert placed.url == "https://cdn.example.com/a.png" and placed.life_s is None
    [request] = api_client.sandbox.requests
    read = read_form(request.headers["content-type"], request.body)
    assert request.path.endswith("?folder=refs") and request.headers["x-token"] == "abcdef"
    assert read.texts == {"album": "7"} and list(read.files) == ["picture"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": {}}, "contains no URL"),
        ({"data": {"url": 7}}, "contains no URL"),
        ({"data": {"url": "file:///etc/passwd"}}, "an unusable URL"),
        ({"data": {"url": "data:image/png;base64,AAAA"}}, "an unusable URL"),
        ({"data": {"url": "http://user:pw@example.com/a"}}, "an unusable URL"),
        ([], "contains no URL"),
    ],
)
def test_upload_response_without_a_url_is_an_error(
    api_client: Any, answer: Any, words: str
) -> None:
    api_client.sandbox.faults.push("host", Json(answer))
    assert words in str(refused(api_client, HttpHost, **host(api_client)))


@pytest.mark.parametrize(
    "body",
    [
        b"https://cdn.example.com/a.png",
        b"\xef\xbb\xbf https://cdn.example.com/a.png \r\n",
        b"Your file:\nhttps://cdn.example.com/a.png\nDelete it:\nhttps://cdn.example.com/del/1\n",
        b'"https://cdn.example.com/a.png"',
    ],
)
def test_url_in_plain_text_is_the_upload(api_client: Any, body: bytes) -> None:
    api_client.sandbox.faults.push("host", WrongType("text/plain", body))
    placed = sent(api_client, HttpHost, **host(api_client))
    assert placed.url == "https://cdn.example.com/a.png"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html><title>Sign in</title><a>https://x.example/a</a>", "HTTP 200: Sign in"),
        (413, b"<html>\n<head><title>413 Request Entity Too Large</title></head>",
         "HTTP 413: 413 Request Entity Too Large"),
        (403, b"<Error><Code>Denied</Code><Message>No.</Message></Error>", "HTTP 403: Denied: No"),
        (400, b"<html><p>no title", "HTTP 400: an HTML page"),
        (200, b"see https://x.example/help", "neither JSON nor a URL (HTTP 200: see"),
    ],
)  # fmt: skip
def test_page_of_a_host_is_quoted_by_its_title(
    api_client: Any, status: int, body: bytes, words: str
) -> None:
    api_client.sandbox.faults.push("host", Status(status, body))
    said = str(refused(api_client, HttpHost, **host(api_client)))
    assert words in said and "<" not in said


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/file/a.png", "{host}/file/a.png"),
        ("//cdn.example.com/a.png?x=1", "http://cdn.example.com/a.png?x=1"),
        ("file/a.png", None),
    ],
)
def test_relative_upload_url_belongs_to_the_same_host(
    api_client: Any, path: str, url: str | None
) -> None:
    api_client.sandbox.faults.push("host", Json([{"src": path}]))
    described = host(api_client, RESULT="0.src")
    if url is None:
        error = refused(api_client, HttpHost, **described)
        assert "an unusable URL (file/a.png): it is not an http or https address" in str(error)
    else:
        assert sent(api_client, HttpHost, **described).url == url.format(
            host=api_client.sandbox.url
        )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": True, "message": "Storage is full"}, "HTTP 200: Storage is full"),
        ({"success": False, "error": 1, "msg": "满了"}, "HTTP 200: 满了"),
        ({"error": {"code": "rate", "message": "Slow down."}}, "HTTP 200: Slow down"),
        ({"error": ["a", "b"], "detail": {"message": "No"}}, "HTTP 200: No"),
        ({"error": True}, "(HTTP 200)"),
    ],
)
def test_hosts_own_words_are_found_wherever_they_stand(
    api_client: Any, answer: Any, words: str
) -> None:
    api_client.sandbox.faults.push("host", Json(answer))
    assert words in str(refused(api_client, HttpHost, **host(api_client)))


def test_wrong_key_and_quota_quote_the_upload_host(api_client: Any) -> None:
    wrong = host(api_client, FIELDS='{"key": "wrong-key"}')
    assert "Invalid API key" in str(refused(api_client, HttpHost, **wrong))
    lsky = {"URL": f"lsky+{api_client.sandbox.url}/lsky", "FIELDS": ""}
    bearer = host(api_client, **lsky, HEADERS='{"Authorization": "Bearer wrong-key"}')
    error = refused(api_client, HttpHost, **bearer)
    assert "does not accept" in str(error) and "Unauthenticated" in str(error)
    full = {"status_code": 400, "error": {"message": "Storage quota exceeded.", "code": 310}}
    api_client.sandbox.faults.push("host", Status(400, full))
    assert "Storage quota exceeded" in str(refused(api_client, HttpHost, **host(api_client)))


@pytest.mark.parametrize(
    "settings",
    [
        {"URL": "ftp://img.example.com"},
        {"URL": "lsky"},
        {"URL": "nothing"},
        {"URL": "https://user:canary-password@img.example.com/up"},
        {"URL": "http://img.example.com/up", "HEADERS": '{"X-Key": "canary-password"}'},
        {"URL": "http://img.example.com/up?key=canary-password", "FIELDS": ""},
        {"HEADERS": "canary-password"},
        {"HEADERS": '["canary-password"]'},
        {"HEADERS": '{"X-Key": "canary-password\\r\\nX: y"}'},
        {"FIELDS": '{"key": "canary-password"'},
    ],
)
def test_invalid_settings_are_named_without_secrets(
    api_client: Any, settings: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sent(api_client, HttpHost, **host(api_client, **settings))
    assert "canary" not in str(caught.value) and caught.value.exit_code == 2
    assert "SEEDREAM_UPLOAD_HTTP_" in str(caught.value)


def test_private_host_without_secret_may_use_plain_http(
    api_client: Any,
) -> None:
    settings = api_client.settings(**host(api_client, URL="http://nas.lan/up", FIELDS=""))
    way = HttpHost(SeedreamClient(settings))
    assert way.hosts == {"nas.lan"} and way.location == "http://nas.lan/up"


def test_headers_in_the_file_may_be_an_object(api_client: Any) -> None:
    import json

    api_client.home.mkdir(exist_ok=True)
    saved = {"SEEDREAM_UPLOAD_HTTP_HEADERS": {"X-API-Key": HOST_KEY}}
    (api_client.home / "settings.json").write_text(json.dumps(saved))
    url = f"chevereto+{api_client.sandbox.url}/chevereto"
    assert sent(api_client, HttpHost, SEEDREAM_UPLOAD_HTTP_URL=url).url.endswith(".png")


def test_image_on_other_private_host_is_not_fetched(
    api_client: Any,
) -> None:
    answer = {"data": {"url": "http://10.1.2.3/a.png"}}
    api_client.sandbox.faults.push("host", Json(answer))
    pixels = pixels_reference(np.zeros((24, 32, 3), np.uint8), "black")
    with pytest.raises(UploadFailed, match="not on the public internet"):
        api_client.generate(pixels, model=MODEL, SEEDREAM_UPLOAD="http", **host(api_client))
    assert api_client.sent == 0
