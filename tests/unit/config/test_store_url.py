"""The address of the bucket that machines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.config.store_url import split_store_url
from seedream_api.errors import ConfigurationError
from support.saved_settings import load


@pytest.mark.parametrize(
    ("given", "bucket", "prefix"),
    [
        ("s3://pics", "pics", ""),
        ("s3://pics/", "pics", ""),
        ("s3://my.pics-1/night/a=b//", "my.pics-1", "night/a=b"),
    ],
)
def test_store_address_is_split(home: Path, given: str, bucket: str, prefix: str) -> None:
    text = load(home, {}, SEEDREAM_STORE=given).text("SEEDREAM_STORE")
    assert split_store_url(text) == (bucket, prefix)


@pytest.mark.parametrize(
    "given",
    [
        "pics", "s3://", "s3:///a", "S3://pics", "https://pics/a", "s3://user:canary-word@pics",
        "s3://pics/../other", "s3://pics/a//b", "s3://pics?canary-word", "s3://pics/a b",
    ],
)  # fmt: skip
def test_other_store_address_is_refused_unshown(home: Path, given: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(home, {}, SEEDREAM_STORE=given)
    assert caught.value.key == "bad_store_url" and "canary-word" not in str(caught.value)


def test_store_place_has_endpoint_and_bucket(home: Path) -> None:
    assert load(home).store_place == ""
    assert load(home, {}, SEEDREAM_STORE="s3://pics/a").store_place == "s3://pics/a"
    endpoint = {"SEEDREAM_UPLOAD_S3_ENDPOINT": "https://s3.example.com"}
    settings = load(home, endpoint, SEEDREAM_STORE="s3://pics/a")
    assert settings.store_place == "https://s3.example.com s3://pics/a"
