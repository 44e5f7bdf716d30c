"""Pictures that travel: in order, proven, uploaded once, and never with a secret in sight."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings as examples, strategies as st
from PIL import Image

from seedream_api import (
    ApiRefused,
    ConfigurationError,
    Origin,
    Request,
    UploadFailed,
    generate,
    pixels_reference,
)
from seedream_api.uploads import http
from seedream_api.uploads.sandbox_host import SandboxHost
from support.api_client import START
from support.fake_service import FILES_KEY, Delay, Json, Status
from support.upload_kit import (
    COLOURS,
    EVOLINK,
    PREFERENTIAL,
    colour_of,
    evolink_files,
    pixels,
    requests_to,
)

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


def test_order_is_kept_whichever_upload_ends_first(
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


def test_slow_host_is_waited_for(api_client: Any, way: dict[str, Any]) -> None:
    api_client.sandbox.faults.push(way["route"], Delay(0.4))
    api_client.sandbox.faults.push(way["get"], Delay(0.4))
    assert api_client.generate(pixels(), model=EVOLINK, **way["settings"]).status == "completed"
    assert len(requests_to(api_client, "POST", way["post"])) == 1 and api_client.sent == 1


def test_silent_upload_host_is_abandoned_and_named(
    api_client: Any, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "UPLOAD_TIMEOUT_S", 0.1)
    api_client.sandbox.faults.push(way["route"], Delay(30), times=50)
    with pytest.raises(UploadFailed, match="no response in time") as caught:
        api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    text = str(caught.value)
    assert f"uploaded to {way['name']}" in text and "Nothing was charged" in text
    assert api_client.sent == 0 and api_client.clock.at - START < 120


def test_host_that_cannot_be_reached_is_named(api_client: Any) -> None:
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
