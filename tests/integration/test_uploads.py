"""Pictures that travel: in order, proven, uploaded once, and never with a secret in sight."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import sqlite3
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings as examples, strategies as st
from PIL import Image

from seedream_api import (
    ApiRefused,
    ConfigurationError,
    InvalidRequest,
    Origin,
    Request,
    TaskFailed,
    UploadFailed,
    file_reference,
    generate,
    pixels_reference,
)
from seedream_api.doctor import run_checks
from seedream_api.jobs.upload_references import upload_references
from seedream_api.service.references import PictureReference
from seedream_api.uploads import evolink, http
from seedream_api.uploads.sandbox_host import SandboxHost
from support.api_client import START
from support.canary import UPLOAD_SECRET as SECRET
from support.fake_service import FILES_KEY, HOST_KEY, Delay, ExpiredLink, Json, Status, WrongType

PREFERENTIAL, EVOLINK = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
COLOURS = ("red", "green", "blue", "white", "black", "cyan", "orange")


def pixels(colour: str = "red", size: tuple[int, int] = (32, 24)) -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", size, colour)), colour)


def png(size: tuple[int, int] = (32, 24)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "gray").save(out, "PNG")
    return out.getvalue()


def colour_of(data: bytes) -> Any:
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((5, 5))


def requests_to(api_client: Any, method: str, part: str) -> list[Any]:
    return [r for r in api_client.sandbox.requests if r.method == method and part in r.path]


def evolink_files(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(evolink, "FILES_ADDRESS", api_client.sandbox.url)
    return {"SEEDREAM_UPLOAD": "evolink", "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY}


def host_settings(api_client: Any, kind: str) -> dict[str, str]:
    own = {
        "imgbb": {"SEEDREAM_UPLOAD_HTTP_FIELDS": f'{{"key": "{HOST_KEY}"}}'},
        "chevereto": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"X-API-Key": "{HOST_KEY}"}}'},
        "lsky": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"Authorization": "Bearer {HOST_KEY}"}}'},
    }[kind]
    url = f"{kind}+{api_client.sandbox.url}/{kind}"
    return {"SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": url, **own}


@pytest.fixture(params=["sandbox", "evolink", "imgbb", "chevereto", "lsky"])
def way(request: Any, api_client: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of a way, and the sandbox's routes where its uploads and its fetches arrive."""
    name = request.param
    if name == "sandbox":
        return {"settings": {}, "name": name, "post": "/sandbox/images", "get": "reference",
                "route": "upload"}  # fmt: skip
    if name == "evolink":
        settings = evolink_files(api_client, monkeypatch)
        return {"settings": settings, "name": name, "post": "/files/upload", "get": "hosted",
                "route": "files"}  # fmt: skip
    return {"settings": host_settings(api_client, name), "name": "http", "post": f"/{name}/",
            "get": "hosted", "route": "host"}  # fmt: skip


# ---- arriving ----


def test_pictures_arrive_by_every_way_in_order_and_once(
    api_client: Any, way: dict[str, Any]
) -> None:
    references = [pixels(colour) for colour in (*COLOURS, "red")]
    for seed in (1, 2):
        result = api_client.generate(*references, model=EVOLINK, seed=seed, **way["settings"])
        assert result.origin is Origin.NEW and result.status == "completed"
    first, second = [post.json["image_urls"] for post in api_client.sandbox.posts]
    assert first == second and first[0] == first[-1] and len(set(first)) == len(COLOURS)
    assert len(requests_to(api_client, "POST", way["post"])) == len(COLOURS)
    prefix = "/sandbox/images/" if way["name"] == "sandbox" else "/hosted/"
    proofs = [r for r in requests_to(api_client, "GET", prefix)
              if "seedream-deepspace" in r.headers["user-agent"]]  # fmt: skip
    assert len(proofs) == len(COLOURS)
    assert all("authorization" not in request.headers for request in proofs)
    assert api_client.sent == 2


def test_the_order_is_kept_whichever_upload_ends_first(
    api_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = evolink_files(api_client, monkeypatch)
    for seconds in (0.3, 0.2, 0.1):
        api_client.sandbox.faults.push("files", Delay(seconds))
    api_client.generate(*map(pixels, COLOURS[:4]), model=EVOLINK, **settings)

    async def fetched(session: Any) -> list[Any]:
        urls = api_client.sandbox.posts[0].json["image_urls"]
        return [colour_of((await session.client.transport.ask(url)).body) for url in urls]

    wanted = [Image.new("RGB", (1, 1), name).getpixel((0, 0)) for name in COLOURS[:4]]
    assert api_client.run(fetched) == wanted


@examples(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    colours=st.lists(st.sampled_from(COLOURS), min_size=1, max_size=14),
    delays=st.lists(st.sampled_from([0.0, 0.01, 0.05]), max_size=14),
    seed=st.integers(0, 10**9),
)
def test_batch_keeps_order_and_equal_images_share_url(
    api_client: Any, colours: list[str], delays: list[float], seed: int
) -> None:
    api_client.sandbox.faults.clear()
    for seconds in delays:
        api_client.sandbox.faults.push("upload", Delay(seconds))
    asked = api_client.sent
    references = [pixels(colour) for colour in colours]
    request = {"model": EVOLINK, "seed": seed, "prompt": f"{colours} {delays} {seed}"}
    api_client.generate(*references, **request)
    if api_client.sent > asked:  # hypothesis may give the very same example again
        urls = api_client.sandbox.posts[-1].json["image_urls"]
        names = dict(zip(urls, colours, strict=True))
        assert [names[url] for url in urls] == colours and len(names) == len(set(colours))
        for url, colour in names.items():
            with urllib.request.urlopen(url) as served:
                wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
                assert colour_of(served.read()) == wanted


def test_failed_upload_says_which_and_not_charged(api_client: Any, way: dict[str, Any]) -> None:
    for fault in (Status(503), Status(418, "<html>no"), Json({"unexpected": 1})):
        api_client.sandbox.faults.clear()
        api_client.sandbox.faults.push(way["route"], fault, times=200)
        with pytest.raises(UploadFailed) as caught:
            api_client.generate(pixels(), model=EVOLINK, **way["settings"])
        text = str(caught.value)
        assert f"uploaded to {way['name']}" in text and "Nothing was charged" in text
        assert not caught.value.may_have_been_charged
    assert api_client.sent == 0 and set(api_client.states) == {"withdrawn"}
    api_client.sandbox.faults.clear()
    assert api_client.generate(pixels(), model=EVOLINK, **way["settings"]).origin is Origin.NEW


def test_a_slow_host_is_waited_for(api_client: Any, way: dict[str, Any]) -> None:
    api_client.sandbox.faults.push(way["route"], Delay(0.4))
    api_client.sandbox.faults.push(way["get"], Delay(0.4))
    assert api_client.generate(pixels(), model=EVOLINK, **way["settings"]).status == "completed"
    assert len(requests_to(api_client, "POST", way["post"])) == 1 and api_client.sent == 1


def test_a_host_that_never_answers_is_given_up_and_named(
    api_client: Any, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "UPLOAD_TIMEOUT_S", 0.1)
    api_client.sandbox.faults.push(way["route"], Delay(30), times=50)
    with pytest.raises(UploadFailed, match="no response in time") as caught:
        api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    text = str(caught.value)
    assert f"uploaded to {way['name']}" in text and "Nothing was charged" in text
    assert api_client.sent == 0 and api_client.clock.at - START < 120


def test_a_host_that_cannot_be_reached_is_named(api_client: Any) -> None:
    settings = {"SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": "http://127.0.0.1:9/up"}
    with pytest.raises(UploadFailed, match=r"127\.0\.0\.1:9 could not be reached"):
        api_client.generate(pixels(), model=EVOLINK, **settings)


def test_one_upload_that_fails_ends_the_others(api_client: Any) -> None:
    api_client.sandbox.faults.push("upload", Status(400))
    api_client.sandbox.faults.push("upload", Delay(20), times=9)

    async def timed(session: Any) -> float:
        begun = asyncio.get_running_loop().time()
        request = Request(model=EVOLINK, prompt="A cat", references=[pixels(c) for c in COLOURS])
        with pytest.raises(UploadFailed):
            await generate(request, session)
        return asyncio.get_running_loop().time() - begun

    assert api_client.run(timed) < 5 and api_client.sent == 0


def test_eight_pictures_travel_at_once_and_no_more(
    api_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, send = 0, 0, SandboxHost.upload
    the_eighth = asyncio.Event()

    async def counted(host: SandboxHost, encoded: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 8:
            the_eighth.set()
        try:
            await the_eighth.wait()
            return await send(host, encoded)
        finally:
            inside -= 1

    monkeypatch.setattr(SandboxHost, "upload", counted)
    pictures = [pixels_reference(np.full((24, 32, 3), n, np.uint8), str(n)) for n in range(14)]
    api_client.generate(*pictures, model=EVOLINK)
    assert most == 8 and len(requests_to(api_client, "POST", "/sandbox/images")) == 14


# ---- what auto means ----


def test_auto_takes_the_first_that_is_configured(
    api_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seedream_api.catalog import MODELS
    from seedream_api.service.client import SeedreamClient
    from seedream_api.uploads.choose import select_target

    all_ways = {
        "SEEDREAM_UPLOAD_S3_BUCKET": "pics",
        "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY,
        "SEEDREAM_UPLOAD_HTTP_URL": "https://img.example.com/upload",
    }
    real = {"DEEPSPACE_BASE_URL": "https://api.example.com", "DEEPSPACE_API_KEY": "sk-real-123456"}

    def chosen(model: str = EVOLINK, **environ: str) -> str:
        client = SeedreamClient(api_client.settings(**environ))
        return select_target(client, MODELS[model]).name

    for expected in ("s3", "evolink", "http"):
        assert chosen(**real, **all_ways) == expected
        assert chosen(PREFERENTIAL, **real, **all_ways) == expected
        assert chosen(**all_ways) == "sandbox"  # a sandboxed graph sends nothing elsewhere
        assert chosen(**all_ways, SEEDREAM_UPLOAD=expected) == expected
        all_ways.pop(next(iter(all_ways)))
    assert chosen(PREFERENTIAL, **real) == "inline"
    assert chosen(**real, SEEDREAM_UPLOAD="inline") == "inline"
    with pytest.raises(ConfigurationError) as caught:
        chosen(**real)
    assert caught.value.key == "no_upload_way"
    for setting in ("S3_BUCKET", "EVOLINK_KEY", "HTTP_URL"):
        for language in ("en", "zh"):
            assert f"SEEDREAM_UPLOAD_{setting}" in caught.value.message(language)
    for name, missing in (("s3", "S3_BUCKET"), ("evolink", "EVOLINK_KEY"), ("http", "HTTP_URL")):
        with pytest.raises(ConfigurationError, match=f"SEEDREAM_UPLOAD_{missing} is not set"):
            chosen(**real, SEEDREAM_UPLOAD=name)


def test_evolink_models_are_refused_before_anything_is_sent(api_client: Any) -> None:
    with pytest.raises(ConfigurationError, match="only as URLs"):
        api_client.generate(
            pixels(), model=EVOLINK,
            DEEPSPACE_BASE_URL=api_client.sandbox.url, DEEPSPACE_API_KEY="sk-not-the-sandboxs",
        )  # fmt: skip
    assert api_client.sandbox.requests == [] and api_client.rows == []


def test_inline_is_tried_knowingly(api_client: Any) -> None:
    with pytest.raises(ApiRefused):  # the sandbox takes URLs only, as the documentation says
        api_client.generate(pixels(), model=EVOLINK, SEEDREAM_UPLOAD="inline")
    assert api_client.sandbox.posts[0].json["image_urls"][0].startswith("data:image/png;base64,")


# ---- proof ----


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (WrongType(), "not an image"),
        (Status(200, png((33, 24))), "33 x 24 pixels instead of 32 x 24"),
        (ExpiredLink(), "no longer served"),
        (Status(302, b"", {"Location": "http://10.1.2.3/a.png"}), "not on the public internet"),
    ],
)
def test_a_url_that_does_not_serve_the_picture_is_never_paid_for(
    api_client: Any, way: dict[str, Any], fault: Any, reason: str
) -> None:
    api_client.sandbox.faults.push(way["get"], fault, times=50)
    with pytest.raises(UploadFailed) as caught:
        api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    assert reason in caught.value.message("en") and api_client.sent == 0
    assert ".." not in str(caught.value) and "。。" not in str(caught.value)
    # Nothing is remembered of it.
    api_client.sandbox.faults.clear()
    api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    assert len(requests_to(api_client, "POST", way["post"])) == 2


def test_a_url_that_works_only_after_a_moment_is_waited_for(
    api_client: Any, way: dict[str, Any]
) -> None:
    api_client.sandbox.faults.push(way["get"], ExpiredLink(404), times=2)
    api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    assert api_client.sent == 1 and len(requests_to(api_client, "POST", way["post"])) == 1


def test_the_proof_can_be_turned_off(api_client: Any) -> None:
    api_client.sandbox.faults.push("reference", WrongType())
    api_client.generate(pixels(), model=EVOLINK, SEEDREAM_VERIFY_UPLOADS="off")
    assert api_client.sandbox.faults.waiting("reference") == 1


# ---- once ----


def test_an_upload_is_not_used_near_its_end(
    make_sandbox: Callable[..., Any], make_api_client: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    api_client = make_api_client(make_sandbox())
    api_client.sandbox.file_store.now = api_client.clock
    settings = evolink_files(api_client, monkeypatch)
    life_s = 72 * 3600
    for seed, (age_s, uploads) in enumerate(
        [(0, 1), (life_s * 0.94, 1), (life_s * 0.02, 2), (life_s, 3)]
    ):
        api_client.clock.at += age_s
        api_client.generate(pixels(), model=EVOLINK, seed=seed, **settings)
        assert len(requests_to(api_client, "POST", "/files/upload")) == uploads


def test_a_short_life_is_used_once(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = host_settings(api_client, "imgbb")
    fields = f'{{"key": "{HOST_KEY}", "expiration": 900}}'
    settings["SEEDREAM_UPLOAD_HTTP_FIELDS"] = fields
    for seed, uploads in ((0, 1), (1, 1), (2, 2)):
        api_client.generate(pixels(), model=EVOLINK, seed=seed, **settings)
        assert len(requests_to(api_client, "POST", "/imgbb/")) == uploads
        api_client.clock.at += 200
    assert b'name="expiration"\r\n\r\n900\r\n' in requests_to(api_client, "POST", "/imgbb/")[0].body


def test_two_at_once_share_one_upload_and_one_may_leave(api_client: Any) -> None:
    api_client.sandbox.faults.push("upload", Delay(0.5))

    async def both(session: Any) -> Any:
        first, second = (
            asyncio.create_task(
                generate(
                    Request(model=EVOLINK, prompt="A cat", seed=seed, references=[pixels()]),
                    session,
                )
            )
            for seed in (1, 2)
        )
        await asyncio.sleep(0.25)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return await second

    assert api_client.run(both).status == "completed"
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 1 and api_client.sent == 1


def test_another_place_is_another_upload(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api_client.generate(pixels(), model=EVOLINK, seed=1)
    api_client.generate(pixels(), model=EVOLINK, seed=2, **evolink_files(api_client, monkeypatch))
    api_client.generate(pixels(), model=EVOLINK, seed=3, **host_settings(api_client, "lsky"))
    api_client.generate(pixels(), model=EVOLINK, seed=4)
    posts = requests_to(api_client, "POST", "/")
    assert sum("generations" not in post.path for post in posts) == 3


@pytest.mark.parametrize("when", ["refused", "failed"])
def test_a_url_that_the_service_cannot_read_is_forgotten(api_client: Any, when: str) -> None:
    api_client.generate(pixels(), model=EVOLINK, seed=1)
    if when == "refused":
        error = {"code": "InvalidImageURL.InvalidFormat", "message": "not valid", "type": ""}
        api_client.sandbox.faults.push("generate", Status(400, {"error": error}))
    else:
        error = {"code": "image_processing_error", "message": "cannot be read"}
        api_client.sandbox.faults.push(
            "task", Json({"id": "x", "status": "failed", "error": error})
        )
    with pytest.raises(ApiRefused if when == "refused" else TaskFailed):
        api_client.generate(pixels(), model=EVOLINK, seed=2)
    api_client.generate(pixels(), model=EVOLINK, seed=2)
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 2


def test_a_refusal_for_other_reasons_keeps_the_upload(api_client: Any) -> None:
    error = {"code": "insufficient_user_quota", "message": "top up", "type": ""}
    api_client.sandbox.faults.push("generate", Status(403, {"error": error}))
    with pytest.raises(ApiRefused):
        api_client.generate(pixels(), model=EVOLINK)
    api_client.generate(pixels(), model=EVOLINK)
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 1


# ---- encoding ----


@pytest.mark.parametrize("way", [{}, {"SEEDREAM_UPLOAD": "inline"}], ids=["uploaded", "inline"])
def test_images_are_encoded_off_loop_one_per_processor(
    api_client: Any, way: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    together, lock = threading.Barrier(3, timeout=20), threading.Lock()
    running: list[int] = []
    most: list[int] = []
    encoded = PictureReference.encode

    def counted(picture: Any, aim: int, cap: int) -> Any:
        with lock:
            running.append(threading.get_ident())
            most.append(len(running))
        together.wait()  # three have to be here at the same time
        try:
            return encoded(picture, aim, cap)
        finally:
            with lock:
                running.remove(threading.get_ident())

    monkeypatch.setattr(PictureReference, "encode", counted)
    api_client.generate(*map(pixels, COLOURS[:6]), model=PREFERENTIAL, **way)
    assert max(most) == 3 and len(most) == 6 and api_client.sent == 1


def test_inline_pictures_share_one_body_by_need(api_client: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    large = [pixels_reference(np.roll(noise, step), f"noise {step}") for step in range(6)]
    small = [pixels(colour) for colour in COLOURS[:4]]
    result = api_client.generate(*large, *small, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    [post] = api_client.sandbox.posts
    assert 10 * 2**20 < len(post.body) <= 20 * 2**20
    sent = [base64.b64decode(uri.partition(",")[2]) for uri in post.json["image"]]
    assert [data[:4] == b"\x89PNG" for data in sent] == [False] * 6 + [True] * 4
    assert all(colour_of(data) is not None for data in sent)
    assert sum("sent as JPEG" in note for note in result.notes) == 6


def test_inline_pictures_that_fit_are_left_alone(api_client: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    pictures = [pixels_reference(np.roll(noise, step), "n") for step in range(3)]
    result = api_client.generate(*pictures, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    uris = api_client.sandbox.posts[0].json["image"]
    assert all(uri.startswith("data:image/png;") for uri in uris) and result.notes == ()


def test_file_over_10_mb_is_encoded(api_client: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1700, 1700, 3), dtype=np.uint8)
    files = {"8mb.png": noise, "11mb.png": np.concatenate([noise, noise[:600]])}
    for name, array in files.items():
        Image.fromarray(array).save(tmp_path / name, compress_level=0)
    references = [file_reference(tmp_path / name, 1) for name in files]
    result = api_client.generate(*references, model=EVOLINK)
    bodies = [r.body for r in requests_to(api_client, "POST", "/sandbox/images")]
    assert (tmp_path / "8mb.png").read_bytes() in bodies
    assert sorted(len(body) < 4 * 2**20 for body in bodies) == [False, True]
    assert any("11mb.png" in note and "JPEG" in note for note in result.notes)


def test_long_side_is_shrunk_and_too_many_pixels_refused(api_client: Any, tmp_path: Path) -> None:
    Image.new("RGB", (7000, 700), "red").save(tmp_path / "long.png")
    result = api_client.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK)
    [upload] = requests_to(api_client, "POST", "/sandbox/images")
    assert Image.open(io.BytesIO(upload.body)).size == (6000, 600)
    assert any("7000 x 700 to 6000 x 600" in note for note in result.notes)
    with pytest.raises(InvalidRequest, match="36000000"):
        api_client.generate(pixels(size=(6001, 6000)), model=EVOLINK)
    assert api_client.sent == 1
    # The notes of an upload come again with its reuse.
    again = api_client.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK, seed=1)
    assert again.notes == result.notes


# ---- uploads alone ----


def test_pictures_become_urls_without_a_request(api_client: Any) -> None:
    async def twice(session: Any) -> Any:
        return [await upload_references([pixels("red"), pixels("blue")], session) for _ in "ab"]

    first, second = api_client.run(twice)
    assert [one.url for one in first] == [one.url for one in second] and api_client.sent == 0
    assert [one.reused for one in (*first, *second)] == [False, False, True, True]
    assert "127.0.0.1" not in repr(first)


@pytest.mark.parametrize("settings", [{"SEEDREAM_UPLOAD": "inline"},
                                      {"DEEPSPACE_API_KEY": "sk-another-key-1"}])  # fmt: skip
def test_without_a_way_that_gives_urls_the_ways_are_named(
    api_client: Any, settings: dict[str, str]
) -> None:
    async def upload(session: Any) -> Any:
        return await upload_references([pixels()], session)

    with pytest.raises(ConfigurationError) as caught:
        api_client.run(upload, **settings)
    assert caught.value.key == "no_url_way" and "SEEDREAM_UPLOAD_S3_BUCKET" in str(caught.value)


# ---- doctor ----


def upload_check(settings: Any) -> Any:
    checks = asyncio.run(run_checks(settings))
    return next(check for check in checks if check.name == "uploads")


def test_doctor_sends_a_small_picture_and_says_how_long_it_lives(
    api_client: Any, way: dict[str, Any]
) -> None:
    check = upload_check(api_client.settings(**way["settings"]))
    life = "72.0 h" if way["name"] == "evolink" else "as long as the host decides"
    assert check.verdict == "ok" and life in check.message and way["name"] in check.message
    [sent] = requests_to(api_client, "POST", way["post"])
    png_of_one_pixel = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
    assert png_of_one_pixel in sent.body and api_client.sent == 0
    api_client.sandbox.faults.push(way["get"], WrongType(), times=9)
    check = upload_check(api_client.settings(**way["settings"]))
    assert check.verdict == "problem" and "not an image" in check.message


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (["198.18.0.7", "198.19.255.1"], "note", "198.18.0.7, 198.19.255.1, invented by a TUN"),
        (["93.184.216.34"], "ok", "api.example.invalid resolves to 93.184.216.34"),
        (["198.18.0.7", "93.184.216.34"], "ok", "resolves to 198.18.0.7, 93.184.216.34"),
        ([], "problem", "api.example.invalid cannot be resolved"),
    ],
)
def test_doctor_reports_addresses_and_tun_proxy(
    api_client: Any, answer: list[str], verdict: str, words: str
) -> None:
    settings = api_client.settings(
        DEEPSPACE_BASE_URL="https://api.example.invalid", DEEPSPACE_API_KEY=""
    )
    checks = asyncio.run(run_checks(settings, resolver=lambda host, port: answer))
    [check] = [check for check in checks if check.name == "names"]
    assert check.verdict == verdict and words in check.message
    assert check.message_zh != check.message


def test_doctor_looks_up_no_name_for_the_sandbox(api_client: Any) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    checks = asyncio.run(run_checks(api_client.settings(), resolver=nobody))
    assert "names" not in {check.name for check in checks}


def test_doctor_shows_upload_secrets_as_set_and_nothing_more(
    api_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = api_client.settings(
        SEEDREAM_UPLOAD_EVOLINK_KEY=SECRET,
        SEEDREAM_UPLOAD_HTTP_HEADERS=f'{{"X-API-Key": "{SECRET}"}}',
        SEEDREAM_UPLOAD_HTTP_FIELDS=f'{{"key": "{SECRET}"}}',
        SEEDREAM_UPLOAD_HTTP_URL=f"https://img.example.com/up?key={SECRET}",
    )
    assert SECRET not in repr(settings)
    checks = {check.name: check for check in asyncio.run(run_checks(settings))}
    assert SECRET not in repr(checks)
    for name in ("EVOLINK_KEY", "HTTP_HEADERS", "HTTP_FIELDS"):
        check = checks[f"SEEDREAM_UPLOAD_{name}"]
        assert (check.message, check.origin) == ("set", "environment")
    assert checks["SEEDREAM_UPLOAD_HTTP_URL"].message == "https://img.example.com/up?***"


# ---- secrets ----


@pytest.mark.parametrize("kind", ["evolink", "imgbb", "chevereto", "lsky"])
@pytest.mark.parametrize("answer", [Status(400, {"message": f"bad key {SECRET}"}),
                                    Status(500, f"no {SECRET}"), None])  # fmt: skip
def test_no_secret_is_ever_shown_or_kept(
    api_client: Any, kind: str, answer: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    if kind == "evolink":
        settings = {**evolink_files(api_client, monkeypatch), "SEEDREAM_UPLOAD_EVOLINK_KEY": SECRET}
        route = "files"
    else:
        settings = {name: value.replace(HOST_KEY, SECRET)
                    for name, value in host_settings(api_client, kind).items()}  # fmt: skip
        route = "host"
    if answer is not None:
        api_client.sandbox.faults.push(route, answer, times=50)
    with pytest.raises(UploadFailed) as caught:
        api_client.generate(pixels(), model=EVOLINK, **settings)
    ran = api_client.inside(
        "generate",
        "--model",
        EVOLINK,
        "--prompt",
        "x",
        "--ref",
        saved(api_client.home.parent),
        "--out",
        api_client.home.parent,
        **settings,
    )
    assert ran.code == 1
    kept = [path.read_bytes() for path in api_client.home.rglob("*") if path.is_file()]
    told = (str(caught.value), repr(caught.value.values), caplog.text, ran.out, ran.err)
    assert kept and SECRET.encode() not in b"".join(kept) and SECRET not in "".join(told)


def saved(folder: Path) -> Path:
    (folder / "a.png").write_bytes(png())
    return folder / "a.png"


def test_uploads_are_written_down_without_the_picture(api_client: Any) -> None:
    api_client.generate(pixels(), model=EVOLINK)
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        [row] = db.execute("SELECT content, way, width, height, media_type FROM uploads").fetchall()
    db.close()
    assert row[0].startswith("sha256:") and row[1:] == ("sandbox", 32, 24, "image/png")
    assert not list((api_client.home / "images" / "partial").rglob("*.part"))


@pytest.mark.parametrize("column", ["notes", "expires_at"])
def test_an_upload_whose_record_is_damaged_is_made_again(api_client: Any, column: str) -> None:
    api_client.generate(pixels(), model=EVOLINK, seed=1)
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute(f"UPDATE uploads SET {column} = 'none of ours ['")  # noqa: S608
    db.close()
    for seed in (2, 3):
        api_client.generate(pixels(), model=EVOLINK, seed=seed)
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 2 and api_client.sent == 3
