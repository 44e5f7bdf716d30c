"""An S3 bucket, on a real S3 server."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from PIL import Image

from seedream_api import ConfigurationError, UploadFailed, pixels_reference
from seedream_api.doctor import run_checks
from seedream_api.jobs.upload_references import try_upload_target, upload_references
from seedream_api.service.client import SeedreamClient
from seedream_api.service.references import UrlReference
from seedream_api.uploads import s3
from seedream_api.uploads.choose import url_target
from seedream_api.uploads.s3 import S3Bucket, resolve_endpoint
from support.loopback_proxy import LoopbackProxy
from support.old_ledgers import spell_as_0_1, take_back_to_0_1
from support.s3_server import KEY_ID, SECRET, S3Server

MODEL = "Seedream-4.0"


def pixels(colour: str = "red") -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


@pytest.fixture(scope="module")
def started() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)  # moto asks boto3 for some
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        server = S3Server()
        make_bucket(server, "pics")
        yield server
        server.stop()


@pytest.fixture
def server(started: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    started.requests.clear()
    started.failing.clear()
    started.refusal, started.delay_s = None, 0.0
    return started


def make_bucket(server: S3Server, name: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()


def bucket(server: S3Server, **settings: str) -> dict[str, str]:
    base = {"ENDPOINT": server.url, "BUCKET": "pics", **settings}
    return {
        "SEEDREAM_UPLOAD": "s3",
        **{f"SEEDREAM_UPLOAD_S3_{name}": value for name, value in base.items()},
    }


def test_pictures_travel_by_presigned_urls_and_only_once(api_client: Any, server: S3Server) -> None:
    references = [pixels("red"), pixels("blue"), pixels("red")]
    for seed in (1, 2):
        api_client.generate(*references, model=MODEL, seed=seed, **bucket(server))
    puts = server.of("PUT")
    assert len(puts) == 2 and all(path.startswith("/pics/seedream/") for path in puts)
    first, second = [post.json["image_urls"] for post in api_client.sandbox.posts]
    assert first == second and first[0] == first[2] != first[1]
    query = parse_qs(urlsplit(first[0]).query)
    assert query["X-Amz-Expires"] == ["86400"] and KEY_ID in query["X-Amz-Credential"][0]
    assert len(server.of("GET")) == 2 + 2 * 3  # proven once each, fetched by the service each time
    with urllib.request.urlopen(first[0]) as served:
        assert served.headers["Content-Type"] == "image/png"


def test_a_life_is_kept_to_and_an_expired_link_is_dead(api_client: Any, server: S3Server) -> None:
    async def send() -> Any:
        async with SeedreamClient(api_client.settings(**bucket(server, LIFE_S="1"))) as client:
            way = url_target(client)
            assert way is not None and way.name == "s3"
            from seedream_api.images.encode import encode

            return await way.upload(encode(pixels().pixels))

    placed = asyncio.run(send())
    assert placed.life_s == 1
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(placed.url)
    caught.value.close()
    assert caught.value.code == 403


def test_a_public_bucket_has_plain_urls(api_client: Any, server: S3Server) -> None:
    settings = bucket(server, PUBLIC_URL="https://cdn.example.com/refs/", PREFIX="a b+图")

    async def send() -> Any:
        async with SeedreamClient(api_client.settings(**settings)) as client:
            from seedream_api.images.encode import encode

            way = S3Bucket(client.settings)
            return way, await way.upload(encode(pixels().pixels))

    way, placed = asyncio.run(send())
    [put] = server.of("PUT")
    assert placed.url == f"https://cdn.example.com/refs{put.removeprefix('/pics')}"
    assert placed.url.startswith("https://cdn.example.com/refs/a%20b") and placed.life_s is None
    assert "?" not in placed.url and "cdn.example.com" in way.hosts


@pytest.mark.parametrize("prefix", ["my refs/2 pictures", "参考/图", "a+b&c=d#e?f%20g"])
def test_any_prefix_is_signed_and_served_as_it_is_written(
    api_client: Any, server: S3Server, prefix: str
) -> None:
    api_client.generate(pixels(), model=MODEL, **bucket(server, PREFIX=prefix))
    [put] = server.of("PUT")
    assert unquote(put).startswith(f"/pics/{prefix}/") and api_client.sent == 1
    assert {path.partition("?")[0] for path in server.of("GET")} == {put}


@pytest.mark.parametrize(
    ("settings", "environ", "words"),
    [
        ({"BUCKET": "nowhere"}, {}, "there is no bucket nowhere"),
        ({}, {"AWS_ACCESS_KEY_ID": "AKIAWRONG"}, "credentials are not accepted (InvalidAccessKey"),
        ({}, {"AWS_SECRET_ACCESS_KEY": "wrong"}, "credentials are not accepted (SignatureDoes"),
    ],
)
def test_what_is_wrong_with_a_bucket_is_said(
    api_client: Any, server: S3Server, settings: dict[str, str], environ: dict[str, str],
    words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UploadFailed) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server, **settings))
    text = str(caught.value)
    assert words in text and "uploaded to s3" in text and "Nothing was charged" in text
    assert api_client.sent == 0 and len(text) < 900
    kept = b"".join(path.read_bytes() for path in api_client.home.rglob("*") if path.is_file())
    assert SECRET not in text + caplog.text and SECRET.encode() not in kept


def test_a_busy_bucket_is_asked_again(api_client: Any, server: S3Server) -> None:
    server.failing += [503, 500]
    api_client.generate(pixels(), model=MODEL, **bucket(server))
    assert len(server.of("PUT")) == 3 and api_client.sent == 1


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "QuotaExceeded", "Bucket quota exceeded"),
        (400, "XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded"),
        (403, "AccessDenied", "Access Denied"),
    ],
)
def test_full_bucket_is_reported_and_not_retried(
    api_client: Any, server: S3Server, status: int, code: str, message: str
) -> None:
    server.refusal = (status, code, message)
    with pytest.raises(UploadFailed) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server))
    assert f"{code}: {message}" in str(caught.value) and "Nothing was charged" in str(caught.value)
    assert len(server.of("PUT")) == 1 and api_client.sent == 0


def test_a_slow_bucket_is_waited_for(api_client: Any, server: S3Server) -> None:
    server.delay_s = 0.4
    assert api_client.generate(pixels(), model=MODEL, **bucket(server)).status == "completed"
    assert len(server.of("PUT")) == 1 and api_client.sent == 1


def test_a_bucket_that_never_answers_is_given_up_and_named(
    api_client: Any, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "UPLOAD_TIMEOUT_S", 0.2)
    monkeypatch.setattr(s3, "MAX_RETRIES", 1)
    server.delay_s = 1.0
    with pytest.raises(UploadFailed, match="uploaded to s3") as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server))
    assert "Nothing was charged" in str(caught.value) and api_client.sent == 0


def test_an_object_is_put_again_before_its_presigned_url_ends(
    api_client: Any, server: S3Server
) -> None:
    for seed, (age_s, puts) in enumerate([(0, 1), (2_400, 1), (700, 2)]):
        api_client.clock.at += age_s
        api_client.generate(pixels(), model=MODEL, seed=seed, **bucket(server, LIFE_S="3600"))
        assert len(server.of("PUT")) == puts


@pytest.mark.parametrize("is_old", [False, True], ids=["0.2", "0.1"])
def test_renewed_presigned_url_is_not_paid_again(
    api_client: Any, server: S3Server, is_old: bool
) -> None:
    def upload(colour: str, life_s: str) -> str:
        environ = bucket(server, LIFE_S=life_s)
        [sent] = api_client.run(lambda s: upload_references([pixels(colour)], s), **environ)
        return sent.url

    first = upload("red", "86400")
    made = api_client.generate(UrlReference(first), model=MODEL)
    if is_old:
        # Version 0.1 forgot an upload that had expired: only the object's address is left of it.
        path = api_client.home / "ledger.sqlite"
        spell_as_0_1(path, references=(f"url:{first}",))
        take_back_to_0_1(path)
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM uploads")
        db.close()
    api_client.clock.at += 25 * 3600
    renewed = upload("red", "86000")
    again = api_client.generate(UrlReference(renewed), model=MODEL)
    assert renewed != first and again.images == made.images and api_client.sent == 1
    api_client.generate(UrlReference(upload("blue", "86000")), model=MODEL)
    assert api_client.sent == 2


def test_a_bucket_out_of_reach_is_named(api_client: Any, server: S3Server) -> None:
    with pytest.raises(UploadFailed, match="uploaded to s3"):
        api_client.generate(pixels(), model=MODEL, **bucket(server, ENDPOINT="http://127.0.0.1:9"))
    assert api_client.sent == 0


def test_doctor_tries_the_bucket(api_client: Any, server: S3Server) -> None:
    checks = asyncio.run(run_checks(api_client.settings(**bucket(server))))
    check = next(check for check in checks if check.name == "uploads")
    assert check.verdict == "ok" and "s3" in check.message and "24.0 h" in check.message
    checks = asyncio.run(run_checks(api_client.settings(**bucket(server, BUCKET="nowhere"))))
    check = next(check for check in checks if check.name == "uploads")
    assert check.verdict == "problem" and "no bucket" in check.message


# ---- style and settings ----


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
def test_the_style_follows_the_endpoint(
    given: str, region: str, endpoint: str, virtual: bool
) -> None:
    assert resolve_endpoint(given, "pics", region) == (endpoint, virtual)


def test_a_bucket_with_dots_is_asked_by_path_for_its_certificate() -> None:
    assert resolve_endpoint("", "my.pics", "us-east-1") == (
        "https://s3.us-east-1.amazonaws.com",
        False,
    )


def test_a_virtual_style_url_names_the_bucket_in_its_host(
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


def test_a_missing_library_names_the_command_for_this_python(
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
def test_an_endpoint_that_is_none_is_refused(
    api_client: Any, server: S3Server, endpoint: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server, ENDPOINT=endpoint))
    assert "S3_ENDPOINT" in str(caught.value) and "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [{"REGION": "thief.example/"}, {"REGION": "x@thief.example#"}, {"BUCKET": "thief.example/"}],
)
def test_a_name_cannot_lead_a_bucket_to_another_host(
    api_client: Any, server: S3Server, names: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server, **names))
    assert next(iter(names)) in str(caught.value)
    assert api_client.rows == [] and api_client.sent == 0


def test_a_bucket_is_reached_through_the_proxy_of_the_settings(
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
