"""Evolink's files API and image hosts, and what their settings may hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from seedream_api import ConfigurationError
from seedream_api.images.encode import EncodedImage
from seedream_api.uploads import evolink
from seedream_api.uploads.http import build_file_name, encode_multipart
from support.fake_service import FILES_KEY, Json, Status
from support.fake_service.multipart import read_form
from support.host_kit import files, picture, refused, sent

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
def test_uploaded_form_arrives_byte_for_byte(
    fields: dict[str, str], name: str, data: bytes
) -> None:
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


def test_services_own_key_is_never_sent_to_evolink(api_client: Any) -> None:
    error = refused(api_client, files(api_client), SEEDREAM_UPLOAD_EVOLINK_KEY="sk-evo-wrong-key")
    assert "SEEDREAM_UPLOAD_EVOLINK_KEY" in str(error) and "HTTP 401" in str(error)
    assert all("sk-sandbox" not in r.headers.get("authorization", "")
               for r in api_client.sandbox.requests)  # fmt: skip


def test_key_that_cannot_be_one_is_refused_without_showing_it(api_client: Any) -> None:
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
