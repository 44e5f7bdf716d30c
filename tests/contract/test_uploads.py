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
from canary import UPLOAD_SECRET as SECRET
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
from seedream_api.sandbox import Delay, ExpiredLink, Json, Status, WrongType
from seedream_api.sandbox.files_api import FILES_KEY
from seedream_api.sandbox.image_host import HOST_KEY
from seedream_api.service.references import PictureReference
from seedream_api.uploads import evolink, http
from seedream_api.uploads.sandbox_host import SandboxHost

from .conftest import START

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


def requests_to(customer: Any, method: str, part: str) -> list[Any]:
    return [r for r in customer.sandbox.requests if r.method == method and part in r.path]


def evolink_files(customer: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(evolink, "FILES_ADDRESS", customer.sandbox.url)
    return {"SEEDREAM_UPLOAD": "evolink", "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY}


def host_settings(customer: Any, kind: str) -> dict[str, str]:
    own = {
        "imgbb": {"SEEDREAM_UPLOAD_HTTP_FIELDS": f'{{"key": "{HOST_KEY}"}}'},
        "chevereto": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"X-API-Key": "{HOST_KEY}"}}'},
        "lsky": {"SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"Authorization": "Bearer {HOST_KEY}"}}'},
    }[kind]
    url = f"{kind}+{customer.sandbox.url}/{kind}"
    return {"SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": url, **own}


@pytest.fixture(params=["sandbox", "evolink", "imgbb", "chevereto", "lsky"])
def way(request: Any, customer: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of a way, and the sandbox's routes where its uploads and its fetches arrive."""
    name = request.param
    if name == "sandbox":
        return {"settings": {}, "name": name, "post": "/sandbox/images", "get": "reference",
                "route": "upload"}  # fmt: skip
    if name == "evolink":
        settings = evolink_files(customer, monkeypatch)
        return {"settings": settings, "name": name, "post": "/files/upload", "get": "hosted",
                "route": "files"}  # fmt: skip
    return {"settings": host_settings(customer, name), "name": "http", "post": f"/{name}/",
            "get": "hosted", "route": "host"}  # fmt: skip


# ---- arriving ----


def test_pictures_arrive_by_every_way_in_order_and_once(customer: Any, way: dict[str, Any]) -> None:
    references = [pixels(colour) for colour in (*COLOURS, "red")]
    for seed in (1, 2):
        result = customer.generate(*references, model=EVOLINK, seed=seed, **way["settings"])
        assert result.origin is Origin.NEW and result.status == "completed"
    first, second = [post.json["image_urls"] for post in customer.sandbox.posts]
    assert first == second and first[0] == first[-1] and len(set(first)) == len(COLOURS)
    assert len(requests_to(customer, "POST", way["post"])) == len(COLOURS)
    prefix = "/sandbox/images/" if way["name"] == "sandbox" else "/hosted/"
    proofs = [r for r in requests_to(customer, "GET", prefix)
              if "seedream-deepspace" in r.headers["user-agent"]]  # fmt: skip
    assert len(proofs) == len(COLOURS)
    assert all("authorization" not in request.headers for request in proofs)
    assert customer.sent == 2


def test_the_order_is_kept_whichever_upload_ends_first(
    customer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = evolink_files(customer, monkeypatch)
    for seconds in (0.3, 0.2, 0.1):
        customer.sandbox.faults.push("files", Delay(seconds))
    customer.generate(*map(pixels, COLOURS[:4]), model=EVOLINK, **settings)

    async def fetched(session: Any) -> list[Any]:
        urls = customer.sandbox.posts[0].json["image_urls"]
        return [colour_of((await session.client.transport.ask(url)).body) for url in urls]

    wanted = [Image.new("RGB", (1, 1), name).getpixel((0, 0)) for name in COLOURS[:4]]
    assert customer.run(fetched) == wanted


@examples(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    colours=st.lists(st.sampled_from(COLOURS), min_size=1, max_size=14),
    delays=st.lists(st.sampled_from([0.0, 0.01, 0.05]), max_size=14),
    seed=st.integers(0, 10**9),
)
def test_any_batch_keeps_its_order_and_equal_pictures_share_one_url(
    customer: Any, colours: list[str], delays: list[float], seed: int
) -> None:
    customer.sandbox.faults.clear()
    for seconds in delays:
        customer.sandbox.faults.push("upload", Delay(seconds))
    asked = customer.sent
    references = [pixels(colour) for colour in colours]
    request = {"model": EVOLINK, "seed": seed, "prompt": f"{colours} {delays} {seed}"}
    customer.generate(*references, **request)
    if customer.sent > asked:  # hypothesis may give the very same example again
        urls = customer.sandbox.posts[-1].json["image_urls"]
        names = dict(zip(urls, colours, strict=True))
        assert [names[url] for url in urls] == colours and len(names) == len(set(colours))
        for url, colour in names.items():
            with urllib.request.urlopen(url) as served:
                wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
                assert colour_of(served.read()) == wanted


def test_an_upload_that_fails_says_which_why_and_that_nothing_was_charged(
    customer: Any, way: dict[str, Any]
) -> None:
    for fault in (Status(503), Status(418, "<html>no"), Json({"unexpected": 1})):
        customer.sandbox.faults.clear()
        customer.sandbox.faults.push(way["route"], fault, times=200)
        with pytest.raises(UploadFailed) as caught:
            customer.generate(pixels(), model=EVOLINK, **way["settings"])
        text = str(caught.value)
        assert f"uploaded to {way['name']}" in text and "Nothing was charged" in text
        assert not caught.value.may_have_been_charged
    assert customer.sent == 0 and set(customer.states) == {"withdrawn"}
    customer.sandbox.faults.clear()
    assert customer.generate(pixels(), model=EVOLINK, **way["settings"]).origin is Origin.NEW


def test_a_slow_host_is_waited_for(customer: Any, way: dict[str, Any]) -> None:
    customer.sandbox.faults.push(way["route"], Delay(0.4))
    customer.sandbox.faults.push(way["get"], Delay(0.4))
    assert customer.generate(pixels(), model=EVOLINK, **way["settings"]).status == "completed"
    assert len(requests_to(customer, "POST", way["post"])) == 1 and customer.sent == 1


def test_a_host_that_never_answers_is_given_up_and_named(
    customer: Any, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "UPLOAD_TIMEOUT_S", 0.1)
    customer.sandbox.faults.push(way["route"], Delay(30), times=50)
    with pytest.raises(UploadFailed, match="no response in time") as caught:
        customer.generate(pixels(), model=EVOLINK, **way["settings"])
    text = str(caught.value)
    assert f"uploaded to {way['name']}" in text and "Nothing was charged" in text
    assert customer.sent == 0 and customer.clock.at - START < 120


def test_a_host_that_cannot_be_reached_is_named(customer: Any) -> None:
    settings = {"SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": "http://127.0.0.1:9/up"}
    with pytest.raises(UploadFailed, match=r"127\.0\.0\.1:9 could not be reached"):
        customer.generate(pixels(), model=EVOLINK, **settings)


def test_one_upload_that_fails_ends_the_others(customer: Any) -> None:
    customer.sandbox.faults.push("upload", Status(400))
    customer.sandbox.faults.push("upload", Delay(20), times=9)

    async def timed(session: Any) -> float:
        begun = asyncio.get_running_loop().time()
        request = Request(model=EVOLINK, prompt="A cat", references=[pixels(c) for c in COLOURS])
        with pytest.raises(UploadFailed):
            await generate(request, session)
        return asyncio.get_running_loop().time() - begun

    assert customer.run(timed) < 5 and customer.sent == 0


def test_eight_pictures_travel_at_once_and_no_more(
    customer: Any, monkeypatch: pytest.MonkeyPatch
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
    customer.generate(*pictures, model=EVOLINK)
    assert most == 8 and len(requests_to(customer, "POST", "/sandbox/images")) == 14


# ---- what auto means ----


def test_auto_takes_the_first_that_is_configured(
    customer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seedream_api.catalog import MODELS
    from seedream_api.service.client import SeedreamClient
    from seedream_api.uploads import select_target

    all_ways = {
        "SEEDREAM_UPLOAD_S3_BUCKET": "pics",
        "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY,
        "SEEDREAM_UPLOAD_HTTP_URL": "https://img.example.com/upload",
    }
    real = {"DEEPSPACE_BASE_URL": "https://api.example.com", "DEEPSPACE_API_KEY": "sk-real-123456"}

    def chosen(model: str = EVOLINK, **environ: str) -> str:
        client = SeedreamClient(customer.settings(**environ))
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


def test_evolink_models_are_refused_before_anything_is_sent(customer: Any) -> None:
    with pytest.raises(ConfigurationError, match="only as URLs"):
        customer.generate(
            pixels(), model=EVOLINK,
            DEEPSPACE_BASE_URL=customer.sandbox.url, DEEPSPACE_API_KEY="sk-not-the-sandboxs",
        )  # fmt: skip
    assert customer.sandbox.requests == [] and customer.rows == []


def test_inline_is_tried_knowingly(customer: Any) -> None:
    with pytest.raises(ApiRefused):  # the sandbox takes URLs only, as the documentation says
        customer.generate(pixels(), model=EVOLINK, SEEDREAM_UPLOAD="inline")
    assert customer.sandbox.posts[0].json["image_urls"][0].startswith("data:image/png;base64,")


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
    customer: Any, way: dict[str, Any], fault: Any, reason: str
) -> None:
    customer.sandbox.faults.push(way["get"], fault, times=50)
    with pytest.raises(UploadFailed) as caught:
        customer.generate(pixels(), model=EVOLINK, **way["settings"])
    assert reason in caught.value.message("en") and customer.sent == 0
    assert ".." not in str(caught.value) and "。。" not in str(caught.value)
    # Nothing is remembered of it.
    customer.sandbox.faults.clear()
    customer.generate(pixels(), model=EVOLINK, **way["settings"])
    assert len(requests_to(customer, "POST", way["post"])) == 2


def test_a_url_that_works_only_after_a_moment_is_waited_for(
    customer: Any, way: dict[str, Any]
) -> None:
    customer.sandbox.faults.push(way["get"], ExpiredLink(404), times=2)
    customer.generate(pixels(), model=EVOLINK, **way["settings"])
    assert customer.sent == 1 and len(requests_to(customer, "POST", way["post"])) == 1


def test_the_proof_can_be_turned_off(customer: Any) -> None:
    customer.sandbox.faults.push("reference", WrongType())
    customer.generate(pixels(), model=EVOLINK, SEEDREAM_VERIFY_UPLOADS="off")
    assert customer.sandbox.faults.waiting("reference") == 1


# ---- once ----


def test_an_upload_is_not_used_near_its_end(
    make_sandbox: Callable[..., Any], make_customer: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    customer = make_customer(make_sandbox())
    customer.sandbox._service._shelf.now = customer.clock
    settings = evolink_files(customer, monkeypatch)
    life_s = 72 * 3600
    for seed, (age_s, uploads) in enumerate(
        [(0, 1), (life_s * 0.94, 1), (life_s * 0.02, 2), (life_s, 3)]
    ):
        customer.clock.at += age_s
        customer.generate(pixels(), model=EVOLINK, seed=seed, **settings)
        assert len(requests_to(customer, "POST", "/files/upload")) == uploads


def test_a_short_life_is_used_once(customer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = host_settings(customer, "imgbb")
    fields = f'{{"key": "{HOST_KEY}", "expiration": 900}}'
    settings["SEEDREAM_UPLOAD_HTTP_FIELDS"] = fields
    for seed, uploads in ((0, 1), (1, 1), (2, 2)):
        customer.generate(pixels(), model=EVOLINK, seed=seed, **settings)
        assert len(requests_to(customer, "POST", "/imgbb/")) == uploads
        customer.clock.at += 200
    assert b'name="expiration"\r\n\r\n900\r\n' in requests_to(customer, "POST", "/imgbb/")[0].body


def test_two_at_once_share_one_upload_and_one_may_leave(customer: Any) -> None:
    customer.sandbox.faults.push("upload", Delay(0.5))

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

    assert customer.run(both).status == "completed"
    assert len(requests_to(customer, "POST", "/sandbox/images")) == 1 and customer.sent == 1


def test_another_place_is_another_upload(customer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    customer.generate(pixels(), model=EVOLINK, seed=1)
    customer.generate(pixels(), model=EVOLINK, seed=2, **evolink_files(customer, monkeypatch))
    customer.generate(pixels(), model=EVOLINK, seed=3, **host_settings(customer, "lsky"))
    customer.generate(pixels(), model=EVOLINK, seed=4)
    posts = requests_to(customer, "POST", "/")
    assert sum("generations" not in post.path for post in posts) == 3


@pytest.mark.parametrize("when", ["refused", "failed"])
def test_a_url_that_the_service_cannot_read_is_forgotten(customer: Any, when: str) -> None:
    customer.generate(pixels(), model=EVOLINK, seed=1)
    if when == "refused":
        error = {"code": "InvalidImageURL.InvalidFormat", "message": "not valid", "type": ""}
        customer.sandbox.faults.push("generate", Status(400, {"error": error}))
    else:
        error = {"code": "image_processing_error", "message": "cannot be read"}
        customer.sandbox.faults.push("task", Json({"id": "x", "status": "failed", "error": error}))
    with pytest.raises(ApiRefused if when == "refused" else TaskFailed):
        customer.generate(pixels(), model=EVOLINK, seed=2)
    customer.generate(pixels(), model=EVOLINK, seed=2)
    assert len(requests_to(customer, "POST", "/sandbox/images")) == 2


def test_a_refusal_for_other_reasons_keeps_the_upload(customer: Any) -> None:
    error = {"code": "insufficient_user_quota", "message": "top up", "type": ""}
    customer.sandbox.faults.push("generate", Status(403, {"error": error}))
    with pytest.raises(ApiRefused):
        customer.generate(pixels(), model=EVOLINK)
    customer.generate(pixels(), model=EVOLINK)
    assert len(requests_to(customer, "POST", "/sandbox/images")) == 1


# ---- encoding ----


@pytest.mark.parametrize("way", [{}, {"SEEDREAM_UPLOAD": "inline"}], ids=["uploaded", "inline"])
def test_pictures_are_encoded_off_the_loop_several_at_once_and_no_more_than_processors(
    customer: Any, way: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    together, lock = threading.Barrier(3, timeout=20), threading.Lock()
    running: list[int] = []
    most: list[int] = []
    encoded = PictureReference.encoded

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

    monkeypatch.setattr(PictureReference, "encoded", counted)
    customer.generate(*map(pixels, COLOURS[:6]), model=PREFERENTIAL, **way)
    assert max(most) == 3 and len(most) == 6 and customer.sent == 1


def test_inline_pictures_share_one_body_by_need(customer: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    large = [pixels_reference(np.roll(noise, step), f"noise {step}") for step in range(6)]
    small = [pixels(colour) for colour in COLOURS[:4]]
    result = customer.generate(*large, *small, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    [post] = customer.sandbox.posts
    assert 10 * 2**20 < len(post.body) <= 20 * 2**20
    sent = [base64.b64decode(uri.partition(",")[2]) for uri in post.json["image"]]
    assert [data[:4] == b"\x89PNG" for data in sent] == [False] * 6 + [True] * 4
    assert all(colour_of(data) is not None for data in sent)
    assert sum("sent as JPEG" in note for note in result.notes) == 6


def test_inline_pictures_that_fit_are_left_alone(customer: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    pictures = [pixels_reference(np.roll(noise, step), "n") for step in range(3)]
    result = customer.generate(*pictures, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    uris = customer.sandbox.posts[0].json["image"]
    assert all(uri.startswith("data:image/png;") for uri in uris) and result.notes == ()


def test_a_file_up_to_10_mb_goes_as_it_is_and_a_heavier_one_is_encoded(
    customer: Any, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1700, 1700, 3), dtype=np.uint8)
    files = {"8mb.png": noise, "11mb.png": np.concatenate([noise, noise[:600]])}
    for name, array in files.items():
        Image.fromarray(array).save(tmp_path / name, compress_level=0)
    references = [file_reference(tmp_path / name, 1) for name in files]
    result = customer.generate(*references, model=EVOLINK)
    bodies = [r.body for r in requests_to(customer, "POST", "/sandbox/images")]
    assert (tmp_path / "8mb.png").read_bytes() in bodies
    assert sorted(len(body) < 4 * 2**20 for body in bodies) == [False, True]
    assert any("11mb.png" in note and "JPEG" in note for note in result.notes)


def test_a_long_side_is_shrunk_and_said_and_too_many_pixels_are_refused(
    customer: Any, tmp_path: Path
) -> None:
    Image.new("RGB", (7000, 700), "red").save(tmp_path / "long.png")
    result = customer.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK)
    [upload] = requests_to(customer, "POST", "/sandbox/images")
    assert Image.open(io.BytesIO(upload.body)).size == (6000, 600)
    assert any("7000 x 700 to 6000 x 600" in note for note in result.notes)
    with pytest.raises(InvalidRequest, match="36000000"):
        customer.generate(pixels(size=(6001, 6000)), model=EVOLINK)
    assert customer.sent == 1
    # The notes of an upload come again with its reuse.
    again = customer.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK, seed=1)
    assert again.notes == result.notes


# ---- uploads alone ----


def test_pictures_become_urls_without_a_request(customer: Any) -> None:
    async def twice(session: Any) -> Any:
        return [await upload_references([pixels("red"), pixels("blue")], session) for _ in "ab"]

    first, second = customer.run(twice)
    assert [one.url for one in first] == [one.url for one in second] and customer.sent == 0
    assert [one.reused for one in (*first, *second)] == [False, False, True, True]
    assert "127.0.0.1" not in repr(first)


@pytest.mark.parametrize("settings", [{"SEEDREAM_UPLOAD": "inline"},
                                      {"DEEPSPACE_API_KEY": "sk-another-key-1"}])  # fmt: skip
def test_without_a_way_that_gives_urls_the_ways_are_named(
    customer: Any, settings: dict[str, str]
) -> None:
    async def upload(session: Any) -> Any:
        return await upload_references([pixels()], session)

    with pytest.raises(ConfigurationError) as caught:
        customer.run(upload, **settings)
    assert caught.value.key == "no_url_way" and "SEEDREAM_UPLOAD_S3_BUCKET" in str(caught.value)


# ---- doctor ----


def upload_check(settings: Any) -> Any:
    checks = asyncio.run(run_checks(settings))
    return next(check for check in checks if check.name == "uploads")


def test_doctor_sends_a_small_picture_and_says_how_long_it_lives(
    customer: Any, way: dict[str, Any]
) -> None:
    check = upload_check(customer.settings(**way["settings"]))
    life = "72.0 h" if way["name"] == "evolink" else "as long as the host decides"
    assert check.verdict == "ok" and life in check.message and way["name"] in check.message
    [sent] = requests_to(customer, "POST", way["post"])
    png_of_one_pixel = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
    assert png_of_one_pixel in sent.body and customer.sent == 0
    customer.sandbox.faults.push(way["get"], WrongType(), times=9)
    check = upload_check(customer.settings(**way["settings"]))
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
def test_doctor_says_where_the_services_name_leads_and_whether_a_tun_proxy_made_it_up(
    customer: Any, answer: list[str], verdict: str, words: str
) -> None:
    settings = customer.settings(
        DEEPSPACE_BASE_URL="https://api.example.invalid", DEEPSPACE_API_KEY=""
    )
    checks = asyncio.run(run_checks(settings, resolver=lambda host, port: answer))
    [check] = [check for check in checks if check.name == "names"]
    assert check.verdict == verdict and words in check.message
    assert check.message_zh != check.message


def test_doctor_looks_up_no_name_for_the_sandbox(customer: Any) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    checks = asyncio.run(run_checks(customer.settings(), resolver=nobody))
    assert "names" not in {check.name for check in checks}


def test_doctor_shows_upload_secrets_as_set_and_nothing_more(
    customer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = customer.settings(
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
    customer: Any, kind: str, answer: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    if kind == "evolink":
        settings = {**evolink_files(customer, monkeypatch), "SEEDREAM_UPLOAD_EVOLINK_KEY": SECRET}
        route = "files"
    else:
        settings = {name: value.replace(HOST_KEY, SECRET)
                    for name, value in host_settings(customer, kind).items()}  # fmt: skip
        route = "host"
    if answer is not None:
        customer.sandbox.faults.push(route, answer, times=50)
    with pytest.raises(UploadFailed) as caught:
        customer.generate(pixels(), model=EVOLINK, **settings)
    ran = customer.inside(
        "generate",
        "--model",
        EVOLINK,
        "--prompt",
        "x",
        "--ref",
        saved(customer.home.parent),
        "--out",
        customer.home.parent,
        **settings,
    )
    assert ran.code == 1
    kept = [path.read_bytes() for path in customer.home.rglob("*") if path.is_file()]
    told = (str(caught.value), repr(caught.value.values), caplog.text, ran.out, ran.err)
    assert kept and SECRET.encode() not in b"".join(kept) and SECRET not in "".join(told)


def saved(folder: Path) -> Path:
    (folder / "a.png").write_bytes(png())
    return folder / "a.png"


def test_uploads_are_written_down_without_the_picture(customer: Any) -> None:
    customer.generate(pixels(), model=EVOLINK)
    with sqlite3.connect(customer.home / "ledger.sqlite") as db:
        [row] = db.execute("SELECT content, way, width, height, media_type FROM uploads").fetchall()
    db.close()
    assert row[0].startswith("sha256:") and row[1:] == ("sandbox", 32, 24, "image/png")
    assert not list((customer.home / "images" / "partial").rglob("*.part"))


@pytest.mark.parametrize("column", ["notes", "expires_at"])
def test_an_upload_whose_record_is_damaged_is_made_again(customer: Any, column: str) -> None:
    customer.generate(pixels(), model=EVOLINK, seed=1)
    with sqlite3.connect(customer.home / "ledger.sqlite") as db:
        db.execute(f"UPDATE uploads SET {column} = 'none of ours ['")  # noqa: S608
    db.close()
    for seed in (2, 3):
        customer.generate(pixels(), model=EVOLINK, seed=seed)
    assert len(requests_to(customer, "POST", "/sandbox/images")) == 2 and customer.sent == 3
