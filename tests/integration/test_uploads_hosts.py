"""Evolink's files API and image hosts, and what their settings may hold."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from seedream_api import ConfigurationError, UploadFailed, pixels_reference
from seedream_api.images.encode import EncodedImage
from seedream_api.service.client import SeedreamClient
from seedream_api.uploads import evolink
from seedream_api.uploads.evolink import EvolinkFiles
from seedream_api.uploads.http import UploadRejected, build_file_name, encode_multipart
from seedream_api.uploads.image_host import HttpHost
from support.fake_service import FILES_KEY, HOST_KEY, Json, Status, WrongType
from support.fake_service.multipart import read_form

MODEL = "Seedream-4.0"


def picture(kind: str = "PNG") -> EncodedImage:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(out, kind)
    return EncodedImage(out.getvalue(), f"image/{kind.lower()}", True, (), 32, 24)


def sent(api_client: Any, make: Any, encoded: EncodedImage | None = None, **environ: str) -> Any:
    """What a way alone makes of a picture."""

    async def send() -> Any:
        async with SeedreamClient(api_client.settings(**environ)) as client:
            return await make(client).upload(encoded or picture())

    return asyncio.run(send())


def refused(
    api_client: Any, make: Any, encoded: EncodedImage | None = None, **environ: str
) -> UploadRejected:
    with pytest.raises(UploadRejected) as caught:
        sent(api_client, make, encoded, **environ)
    return caught.value


# ---- the body ----


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fields=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20),
                           st.text(st.characters(codec="utf-8"), max_size=50), max_size=4),
    name=st.text(st.characters(codec="utf-8"), max_size=20),
    data=st.binary(max_size=300),
)  # fmt: skip
def test_a_form_comes_back_to_the_byte(fields: dict[str, str], name: str, data: bytes) -> None:
    def spelled(text: str) -> str:
        return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

    kind, body = encode_multipart(fields, name, EncodedImage(data, "image/png", True, (), 1, 1))
    read = read_form(kind, body)
    assert read.texts == {spelled(key): value for key, value in fields.items()}
    [(field, part)] = read.files.items()
    assert (field, part.data) == (spelled(name), data)
    assert part.file_name == build_file_name(EncodedImage(data, "image/png", True, (), 1, 1))


def test_two_forms_never_share_a_boundary() -> None:
    assert encode_multipart({}, "file", picture())[0] != encode_multipart({}, "file", picture())[0]


# ---- Evolink ----


def files(api_client: Any) -> Any:
    return lambda client: EvolinkFiles(client, api_client.sandbox.url)


def test_evolink_takes_a_stream_and_keeps_it_for_72_hours(api_client: Any) -> None:
    placed = sent(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY=FILES_KEY)
    assert placed.life_s == 72 * 3600 and placed.expires_at is not None
    [upload] = api_client.sandbox.requests
    assert upload.path == "/api/v1/files/upload/stream" and upload.method == "POST"
    assert upload.headers["authorization"] == f"Bearer {FILES_KEY}"
    part = read_form(upload.headers["content-type"], upload.body).files["file"]
    assert part.data == picture().data and part.file_name == build_file_name(picture())
    assert "sandbox" not in repr(placed) and "http" not in repr(placed)


@pytest.mark.parametrize(
    ("encoded", "limits", "words"),
    [
        (picture("BMP"), {}, "does not accept this file type"),
        (picture(), {"max_bytes": 10}, "too large"),
        (picture(), {"quota": 0}, "quota is used up"),
    ],
)
def test_evolinks_codes_are_worded(
    api_client: Any, encoded: EncodedImage, limits: dict[str, int], words: str
) -> None:
    for name, value in limits.items():
        setattr(api_client.sandbox.files, name, value)
    error = refused(api_client, files(api_client), encoded, SEEDREAM_UPLOAD_EVOLINK_KEY=FILES_KEY)
    assert words in str(error) and error.retry is None


def test_evolinks_storage_failure_is_tried_again(api_client: Any) -> None:
    answer = {"success": False, "code": 50001, "msg": "storage error"}
    api_client.sandbox.faults.push("files", Status(200, answer))
    error = refused(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY=FILES_KEY)
    assert "storage failed" in str(error) and error.retry is not None


def test_the_services_own_key_is_never_sent_to_evolink(api_client: Any) -> None:
    error = refused(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY="sk-evo-wrong-key")
    assert "SEEDREAM_UPLOAD_EVOLINK_KEY" in str(error) and "HTTP 401" in str(error)
    assert all("sk-sandbox" not in r.headers.get("authorization", "")
               for r in api_client.sandbox.requests)  # fmt: skip


def test_a_key_that_cannot_be_one_is_refused_without_showing_it(api_client: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sent(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY="sk-evo- 密钥-secret")
    assert "secret" not in str(caught.value) and "EVOLINK_KEY" in str(caught.value)


def test_evolinks_address_is_its_own() -> None:
    assert evolink.FILES_ADDRESS == "https://files-api.evolink.ai"


@pytest.mark.parametrize(
    ("given_as", "seconds"),
    [
        ("2026-01-27T00:00:00Z", 1769472000.0),
        ("2026-01-27T00:00:00.000+08:00", 1769443200.0),
        ("2026-01-27T00:00:00", 1769472000.0),
        (1769472000, 1769472000.0),
        (1769472000123, 1769472000.123),
        ("1769472000", 1769472000.0),
        ("soon", None),
        (None, None),
        ({}, None),
    ],
)
def test_moments_are_read_tolerantly(api_client: Any, given_as: Any, seconds: float | None) -> None:
    data = {"file_url": "https://cdn.example.com/a.png", "expires_at": given_as}
    api_client.sandbox.faults.push("files", Json({"success": True, "code": 200, "data": data}))
    placed = sent(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY=FILES_KEY)
    assert placed.expires_at == seconds and placed.life_s == 72 * 3600


# ---- image hosts ----


def host(api_client: Any, **settings: str) -> dict[str, str]:
    base = {"URL": f"imgbb+{api_client.sandbox.url}/imgbb", "FIELDS": f'{{"key": "{HOST_KEY}"}}'}
    return {f"SEEDREAM_UPLOAD_HTTP_{name}": value for name, value in {**base, **settings}.items()}


def test_a_host_without_a_preset_is_described_by_settings(api_client: Any) -> None:
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
def test_an_answer_without_a_url_is_no_upload(api_client: Any, answer: Any, words: str) -> None:
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
def test_a_path_in_the_answer_is_one_of_the_same_host(
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
def test_the_hosts_own_words_are_found_wherever_they_stand(
    api_client: Any, answer: Any, words: str
) -> None:
    api_client.sandbox.faults.push("host", Json(answer))
    assert words in str(refused(api_client, HttpHost, **host(api_client)))


def test_wrong_key_and_quota_are_told_in_the_hosts_words(api_client: Any) -> None:
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


def test_headers_may_stand_in_the_file_as_an_object(api_client: Any) -> None:
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
