"""An upload is verified, and made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import (
    ApiRefused,
    Request,
    TaskFailed,
    UploadFailed,
    generate,
)
from support.fake_service import HOST_KEY, Delay, ExpiredLink, Json, Status, WrongType
from support.upload_kit import (
    EVOLINK,
    evolink_files,
    host_settings,
    pixels,
    png,
    requests_to,
)

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
def test_url_that_does_not_serve_the_picture_is_never_paid_for(
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


def test_url_that_works_only_after_a_moment_is_waited_for(
    api_client: Any, way: dict[str, Any]
) -> None:
    api_client.sandbox.faults.push(way["get"], ExpiredLink(404), times=2)
    api_client.generate(pixels(), model=EVOLINK, **way["settings"])
    assert api_client.sent == 1 and len(requests_to(api_client, "POST", way["post"])) == 1


def test_proof_can_be_turned_off(api_client: Any) -> None:
    api_client.sandbox.faults.push("reference", WrongType())
    api_client.generate(pixels(), model=EVOLINK, SEEDREAM_VERIFY_UPLOADS="off")
    assert api_client.sandbox.faults.waiting("reference") == 1


# ---- once ----


def test_upload_is_not_used_near_its_end(
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


def test_short_life_is_used_once(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_url_that_the_service_cannot_read_is_forgotten(api_client: Any, when: str) -> None:
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


def test_refusal_for_other_reasons_keeps_the_upload(api_client: Any) -> None:
    error = {"code": "insufficient_user_quota", "message": "top up", "type": ""}
    api_client.sandbox.faults.push("generate", Status(403, {"error": error}))
    with pytest.raises(ApiRefused):
        api_client.generate(pixels(), model=EVOLINK)
    api_client.generate(pixels(), model=EVOLINK)
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 1
