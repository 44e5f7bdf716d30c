"""Addressing style and settings of S3."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from seedream_api import ConfigurationError
from seedream_api.jobs.upload_references import try_upload_target
from seedream_api.uploads.bucket import resolve_endpoint
from seedream_api.uploads.s3 import S3Bucket
from support.loopback_proxy import LoopbackProxy
from support.s3_kit import MODEL, bucket, pixels
from support.s3_server import S3Server


@pytest.mark.parametrize(
    ("given", "region", "endpoint", "virtual"),
    [
        ("", "eu-west-1", "https://pics.s3.eu-west-1.amazonaws.com", True),
        ("", "cn-north-1", "https://pics.s3.cn-north-1.amazonaws.com.cn", True),
        ("http://10.0.0.5:9000", "us-east-1", "http://10.0.0.5:9000", False),
        ("https://a1.r2.example.com", "auto", "https://a1.r2.example.com", False),
        ("https://pics.s3.example.com", "x", "https://pics.s3.example.com", True),
        ("https://oss-cn-x.aliyuncs.com", "x", "https://pics.oss-cn-x.aliyuncs.com", True),
        ("https://cos.ap-x.myqcloud.com", "x", "https://pics.cos.ap-x.myqcloud.com", True),
    ],
)  # fmt: skip
def test_style_follows_the_endpoint(given: str, region: str, endpoint: str, virtual: bool) -> None:
    assert resolve_endpoint(given, "pics", region) == (endpoint, virtual)


def test_bucket_with_dots_is_asked_by_path_for_its_certificate() -> None:
    assert resolve_endpoint("", "my.pics", "us-east-1") == (
        "https://s3.us-east-1.amazonaws.com",
        False,
    )


def test_virtual_style_url_names_the_bucket_in_its_host(
    api_client: Any, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    given: dict[str, Any] = {}

    async def put(store: Any, key: str, data: bytes, **options: Any) -> None:
        given.update(key=key, **options)

    monkeypatch.setattr(obstore, "put_async", put)
    settings = api_client.settings(**bucket(server, ENDPOINT="https://oss-cn-beijing.aliyuncs.com"))

    async def send() -> Any:
        from seedream_api.images.encode import encode

        return await S3Bucket(settings).upload(encode(pixels().pixels))

    url = asyncio.run(send()).url
    assert url.startswith(f"https://pics.oss-cn-beijing.aliyuncs.com/{given['key']}?X-Amz-")


def test_virtual_hosted_bucket_works_through_proxy(
    api_client: Any, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    endpoint = "http://pics.s3.us-east-1.amazonaws.com"
    api_client.generate(pixels(), model=MODEL, **bucket(server, ENDPOINT=endpoint, PREFIX="a b"))
    [put] = server.of("PUT")
    assert put.startswith(f"{endpoint}/a%20b/") and api_client.sent == 1
    assert len(server.of("GET")) == 2, "proven, and fetched by the service"
    [[url]] = [post.json["image_urls"] for post in api_client.sandbox.posts]
    assert url.startswith(f"{put}?X-Amz-")


def test_missing_library_names_the_command_for_this_python(
    api_client: Any, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "obstore" else find(name)
    )
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server))
    for language in ("en", "zh"):
        command = f'"{sys.executable}" -m pip install "obstore'
        assert command in caught.value.message(language)
    assert api_client.rows == [] and api_client.sent == 0


@pytest.mark.parametrize(
    "endpoint", ["s3.example.com", "ftp://x", "https://u:canary@x", "https://x?token=canary"]
)
def test_endpoint_that_is_none_is_refused(api_client: Any, server: S3Server, endpoint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server, ENDPOINT=endpoint))
    assert "S3_ENDPOINT" in str(caught.value) and "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [{"REGION": "thief.example/"}, {"REGION": "x@thief.example#"}, {"BUCKET": "thief.example/"}],
)
def test_name_cannot_lead_a_bucket_to_another_host(
    api_client: Any, server: S3Server, names: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server, **names))
    assert next(iter(names)) in str(caught.value)
    assert api_client.rows == [] and api_client.sent == 0


def test_bucket_is_reached_through_the_proxy_of_the_settings(
    api_client: Any, server: S3Server
) -> None:
    name = "storage"  # moto takes what stands before a dot for the bucket
    port = urlsplit(server.url).port or 0
    with LoopbackProxy({f"{name}:80": port}) as proxy:
        chosen = {"SEEDREAM_PROXY": f"http://127.0.0.1:{proxy.port}"}
        sent = api_client.run(
            try_upload_target, **bucket(server, ENDPOINT=f"http://{name}"), **chosen
        )
    assert sent is not None and urlsplit(sent.url).netloc == name
    assert [line.split()[0] for line in proxy.asked] == ["PUT", "GET"]
    assert len(server.of("PUT")) == 1


@pytest.mark.parametrize(
    ("token", "expiration", "puts"),
    [
        ("", "", 1),
        ("FwoGZXIvYXdzEBYa", "", 2),
        ("FwoGZXIvYXdzEBYa", "2001-01-01T00:00:00Z", 2),
        ("FwoGZXIvYXdzEBYa", "2999-01-01T00:00:00Z", 1),
        ("FwoGZXIvYXdzEBYa", "soon", 2),
    ],
)
def test_link_of_temporary_credentials_ends_with_them(
    api_client: Any,
    server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    expiration: str,
    puts: int,
) -> None:
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", expiration)
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    for seed in (1, 2):
        api_client.generate(pixels("red"), seed=seed, **bucket(server))
    assert len(server.of("PUT")) == puts
