"""The service's address: one spelling, no secret echoed, no key in the clear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedream_api.config.settings import DEFAULT_ADDRESS
from seedream_api.network.url_guard import is_local_host
from support.saved_settings import load, refusal


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (DEFAULT_ADDRESS, DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net/", DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net/v1", DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net/v1/", DEFAULT_ADDRESS),
        ("HTTPS://API.DeepSpaceAI.net", DEFAULT_ADDRESS),
        ("https://example.com:8443/relay/v1/", "https://example.com:8443/relay"),
        ("https://example.com/v1beta", "https://example.com/v1beta"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://LocalHost:8000", "http://127.0.0.1:8000"),
        ("http://localhost.:8000", "http://127.0.0.1:8000"),
        ("http://localhost:80", "http://127.0.0.1"),
        ("http://127.1:8000", "http://127.0.0.1:8000"),
        ("http://[::ffff:127.0.0.1]:8000", "http://127.0.0.1:8000"),
        ("http://[0:0::1]:8000", "http://[::1]:8000"),
        ("https://api.deepspaceai.net:443", DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net:", DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net.", DEFAULT_ADDRESS),
        ("https://api.deepspaceai.net//v1//", DEFAULT_ADDRESS),
        ("https://STRA\u1e9eE.de", "https://xn--strae-oqa.de"),
        ("https://xn--strae-oqa.de", "https://xn--strae-oqa.de"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("SANDBOX", "sandbox"),
    ],
)
def test_address_has_one_spelling(home: Path, given: str, address: str) -> None:
    assert load(home, {}, DEEPSPACE_BASE_URL=given).address == address


@pytest.mark.parametrize(
    "given",
    [
        "http://example.com",
        "http://10.0.0.7:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://example.com:99999",
        "https://[::1",
        "https://example.com?x=1",
        "https://example.com/#x",
    ],
)
def test_unusable_address_is_refused_with_reason(home: Path, given: str) -> None:
    error = refusal(home, {}, DEEPSPACE_BASE_URL=given)
    assert error.key == "bad_address" and error.values["reason"]


@pytest.mark.parametrize(
    "given",
    [
        "https://user:hunter2@example.com",
        "https://hunter2@example.com",
        "http://user:hunter2@example.com",
        "ftp://user:hunter2@example.com",
        "user:hunter2@example.com",
        "https://user:hunter2@example.com:99999",
        "https://user:hunter2@[::1",
        "https://user:hunter2@",
        "https://example.com?key=hunter2",
        "https://example.com#hunter2",
    ],
)
def test_what_may_be_a_secret_in_an_address_is_never_echoed(home: Path, given: str) -> None:
    error = refusal(home, {}, DEEPSPACE_BASE_URL=given)
    assert error.key == "bad_address"
    assert "hunter2" not in str(error) and "hunter2" not in json.dumps(error.to_record())


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True),
        ("[::1]", True), ("0.0.0.0", False), ("10.0.0.1", False), ("example.com", False),
        ("localhost.evil.com", False), ("", False),
    ],
)  # fmt: skip
def test_local_is_only_what_is_written_as_this_machine(host: str, local: bool) -> None:
    assert is_local_host(host) is local
