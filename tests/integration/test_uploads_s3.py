"""An S3 bucket, on a real S3 server."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from seedream_api import UploadFailed
from seedream_api.doctor import run_checks
from seedream_api.jobs.upload_references import upload_references
from seedream_api.service.client import SeedreamClient
from seedream_api.service.references import UrlReference
from seedream_api.uploads import s3
from seedream_api.uploads.choose import url_target
from seedream_api.uploads.s3 import S3Bucket
from support.old_ledgers import spell_as_0_1, take_back_to_0_1
from support.s3_kit import MODEL, bucket, pixels
from support.s3_server import KEY_ID, SECRET, S3Server


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


def test_life_is_kept_to_and_an_expired_link_is_dead(api_client: Any, server: S3Server) -> None:
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


def test_public_bucket_has_plain_urls(api_client: Any, server: S3Server) -> None:
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


def test_busy_bucket_is_asked_again(api_client: Any, server: S3Server) -> None:
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


def test_slow_bucket_is_waited_for(api_client: Any, server: S3Server) -> None:
    server.delay_s = 0.4
    assert api_client.generate(pixels(), model=MODEL, **bucket(server)).status == "completed"
    assert len(server.of("PUT")) == 1 and api_client.sent == 1


def test_silent_bucket_is_abandoned_and_named(
    api_client: Any, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "UPLOAD_TIMEOUT_S", 0.2)
    monkeypatch.setattr(s3, "MAX_RETRIES", 1)
    server.delay_s = 1.0
    with pytest.raises(UploadFailed, match="uploaded to s3") as caught:
        api_client.generate(pixels(), model=MODEL, **bucket(server))
    assert "Nothing was charged" in str(caught.value) and api_client.sent == 0


def test_object_is_put_again_before_its_presigned_url_ends(
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


def test_bucket_out_of_reach_is_named(api_client: Any, server: S3Server) -> None:
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
