"""What a generation returns, also the second time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from PIL import Image

from seedream_api import (
    Origin,
    PartialResult,
    Request,
    SeedreamClient,
    file_reference,
    generate,
)
from seedream_api.network.clock import Clock
from support.fake_service import Json, PartialGroup
from support.generation_kit import BOTH, LATER_40, LATER_45, NOW_5, picture

# ---- what is returned ----


@BOTH
def test_image_is_stored_whole_and_described(api_client: Any, model: str) -> None:
    result = api_client.generate(model=model)
    [image] = result.images
    with Image.open(image.path) as opened:
        assert opened.size == (image.width, image.height) == (128, 128)
    assert image.bytes == image.path.stat().st_size and image.media_type == "image/jpeg"
    assert api_client.home in image.path.parents and image.sha256 in image.path.name
    assert (result.status, result.origin, result.charged_images) == ("completed", Origin.NEW, 1)
    assert bool(result.task_id) is (model == LATER_40)
    assert result.urls == (image.url,) and api_client.sandbox.images_made == 1


def test_group_keeps_its_order_and_its_sizes(api_client: Any) -> None:
    result = api_client.generate(prompt="4 images of cats [mixed sizes]", n=4)
    assert [image.position for image in result.images] == [0, 1, 2, 3]
    assert [url.rpartition("/")[2] for url in result.urls] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert len({(image.width, image.height) for image in result.images}) > 1


def test_n_is_an_upper_limit(api_client: Any) -> None:
    result = api_client.generate(n=4)
    assert (len(result.images), result.asked, result.charged_images) == (1, 4, 1)
    assert result.status == "completed"


@BOTH
def test_partial_group_returns_images_and_names_missing(api_client: Any, model: str) -> None:
    wish: dict[str, Any] = {"model": model}
    if model == LATER_40:
        wish |= {"prompt": "3 images of cats", "n": 3}
        api_client.sandbox.faults.push("generate", PartialGroup((1,)))
    else:
        made = api_client.generate(model=model, seed=9)
        answer = {"data": [{"url": made.urls[0]}, {"error": {"message": "not this one"}}]}
        api_client.sandbox.faults.push("generate", Json(answer))
    posts = api_client.sent
    for _ in range(2):
        result = api_client.generate(**wish)
        assert result.status == "partial" and [f.position for f in result.failures] == [1]
        assert [image.position for image in result.images] == ([0, 2] if "n" in wish else [0])
    with pytest.raises(PartialResult) as caught:
        api_client.generate(**wish, SEEDREAM_PARTIAL="fail")
    assert caught.value.may_have_been_charged and caught.value.exit_code == 3
    assert api_client.sent == posts + 1 and api_client.states[-1] == "partial"


def test_evolink_response_may_contain_the_images(api_client: Any) -> None:
    url = api_client.generate(model=NOW_5).urls[0]
    api_client.sandbox.faults.push("generate", Json({"data": [{"url": url}]}))
    result = api_client.generate(model=LATER_40, wait=False)
    assert result.status == "completed" and result.task_id is None and len(result.images) == 1
    assert api_client.states == ["completed", "completed"]


def test_preferential_response_may_contain_a_task(api_client: Any) -> None:
    async def submit(session: Any) -> Any:
        return await session.client.submit(Request(model=LATER_40, prompt="A cat"))

    task_id = api_client.run(submit).task_id
    api_client.sandbox.faults.push("generate", Json({"id": task_id, "model": NOW_5}))
    result = api_client.generate(model=NOW_5)
    assert result.task_id == task_id and len(result.images) == 1


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_images_inside_the_response_are_stored(api_client: Any, prefix: str) -> None:
    data = picture("gold")
    text = prefix + base64.b64encode(data).decode()
    answer = {"data": [{"url": "", "b64_json": text, "revised_prompt": ""}]}
    api_client.sandbox.faults.push("generate", Json(answer))
    for origin in (Origin.NEW, Origin.STORED):
        result = api_client.generate(model=NOW_5)
        [image] = result.images
        assert image.path.read_bytes() == data and image.url is None and result.urls == ()
        assert (image.width, image.height, image.media_type) == (32, 24, "image/png")
        assert result.origin is origin
    assert api_client.sent == 1


def test_doubted_value_is_sent_with_a_note(api_client: Any) -> None:
    result = api_client.generate(model=LATER_45, quality="1K", prompt_priority="fast")
    body = api_client.sandbox.posts[0].json
    assert (body["quality"], body["prompt_priority"]) == ("1K", "fast")
    assert sum("was sent, but" in note for note in result.notes) == 2
    assert api_client.generate(model=LATER_45, quality="1K", prompt_priority="fast").notes == (
        result.notes
    )


# ---- the second time ----


@BOTH
def test_same_again_is_free_and_needs_no_network(api_client: Any, model: str) -> None:
    first = api_client.generate(model=model, prompt="2 cats", n=2 if model == LATER_40 else None)
    api_client.sandbox.stop()
    again = api_client.generate(model=model, prompt="2 cats", n=2 if model == LATER_40 else None)
    assert again.origin is Origin.STORED and again.is_reused and again.charged_images == 0
    assert again.images == first.images and api_client.sent == 1


def test_another_seed_is_another_charge(api_client: Any) -> None:
    api_client.generate(seed=1)
    assert api_client.generate(seed=2).origin is Origin.NEW
    assert api_client.generate(seed=1).origin is Origin.STORED
    assert api_client.sent == 2 and "seed" not in api_client.sandbox.posts[0].json


def test_what_does_not_make_another_request(api_client: Any) -> None:
    file = api_client.home.parent / "a.png"
    file.write_bytes(picture())
    reference = file_reference(file, 1)
    api_client.generate(reference, model=NOW_5)
    same = {"timeout_s": 7.0, "SEEDREAM_UPLOAD": "inline", "SEEDREAM_TIMEOUT_S": "9"}
    again = api_client.generate(reference, model=NOW_5, size="2K", watermark=False, **same)
    assert again.origin is Origin.STORED and api_client.sent == 1


def test_reuse_off_concerns_completed_work_only(api_client: Any) -> None:
    off = {"SEEDREAM_REUSE": "off"}
    api_client.generate(**off)
    assert api_client.generate(**off).origin is Origin.NEW and api_client.sent == 2
    api_client.sandbox.faults.push("generate", Json({}))
    for _ in range(2):
        with pytest.raises(Exception, match="outcome is unknown"):
            api_client.generate(seed=1, **off)
    assert api_client.sent == 3


def test_removed_file_is_fetched_again_at_no_cost(api_client: Any) -> None:
    api_client.generate().images[0].path.unlink()
    again = api_client.generate()
    assert again.images[0].path.is_file() and again.charged_images == 0
    assert api_client.sent == 1


def test_prompts_can_be_kept_out_of_the_home_folder(api_client: Any) -> None:
    secret = "a very private cat"
    api_client.generate(prompt=secret, SEEDREAM_STORE_PROMPTS="off")
    api_client.generate(
        prompt=f"{secret} [blocked]"[:-10], model=NOW_5, SEEDREAM_STORE_PROMPTS="off"
    )
    kept = [path for path in api_client.home.rglob("*") if path.is_file()]
    assert kept and all(secret.encode() not in path.read_bytes() for path in kept)
    assert all(row.prompt is None for row in api_client.rows)
    assert api_client.generate(prompt=secret, SEEDREAM_STORE_PROMPTS="off").origin is Origin.STORED


# ---- the client alone ----


def test_client_submits_looks_and_waits(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        async with SeedreamClient(
            api_client.settings(), clock=Clock(api_client.clock, api_client.clock.sleep)
        ) as client:
            answer = await client.submit(Request(model=LATER_40, prompt="A cat"))
            looked = await client.get_task(answer.task_id)
            waited = await client.wait(answer.task_id)
            return looked, waited

    looked, waited = api_client.run(road)
    assert looked == waited and waited.status.value == "completed" and waited.items[0].url
    assert api_client.sent == 1


def test_generate_opens_a_session_when_none_is_passed(
    api_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    for name, value in api_client.environ.items():
        monkeypatch.setenv(name, value)
    result = asyncio.run(generate(Request(model=NOW_5, prompt="A cat")))
    assert result.images[0].path.is_file() and api_client.states == ["completed"]
