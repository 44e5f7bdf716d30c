"""What the sandbox accepts, and how many images it makes in which shape."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from seedream_api.catalog import PIXELS, RATIOS
from support.sandbox_calls import (
    GENERATE,
    LATER_5,
    LATER_40,
    LATER_45,
    NOW_5,
    NOW_45,
    Caller,
    size_of,
)

# ---- what may be sent ----


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"model": LATER_40, "aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"model": LATER_40, "seed": 1}, "seed"),
        ({"model": LATER_40, "watermark": False}, "watermark"),
        ({"model": LATER_40, "image": []}, "image"),
        ({"model": NOW_5, "n": 1}, "n"),
        ({"model": NOW_5, "quality": "2K"}, "quality"),
        ({"model": NOW_5, "image_urls": []}, "image_urls"),
        ({"model": LATER_40, "n": "2"}, "n"),
        ({"model": LATER_40, "n": True}, "n"),
        ({"model": LATER_40, "n": None}, "n"),
        ({"model": LATER_40, "n": 0}, "n"),
        ({"model": LATER_40, "n": 16}, "n"),
        ({"model": LATER_40, "size": "2K"}, "size"),
        ({"model": LATER_40, "size": "2048x2048"}, "size"),
        ({"model": LATER_40, "quality": "3K"}, "quality"),
        ({"model": LATER_40, "quality": "2k"}, "quality"),
        ({"model": LATER_40, "prompt_priority": "slow"}, "prompt_priority"),
        ({"model": LATER_40, "image_urls": "https://example.com/a.png"}, "image_urls"),
        ({"model": LATER_40, "image_urls": [1]}, "image_urls[0]"),
        ({"model": LATER_40, "image_urls": ["https://e.com/a"] * 15}, "image_urls"),
        ({"model": LATER_40, "image_urls": ["https://e.com/a"] * 14, "n": 2}, "n"),
        ({"model": NOW_5, "size": "1:1"}, "size"),
        ({"model": NOW_5, "size": "1K"}, "size"),
        ({"model": NOW_5, "watermark": "false"}, "watermark"),
        ({"model": NOW_5, "output_format": "jpg"}, "output_format"),
        ({"model": NOW_5, "output_format": None}, "output_format"),
    ],
)
def test_invalid_field_is_named(caller: Caller, fields: dict[str, Any], named: str) -> None:
    response = caller.post(**fields)
    assert response.status == 400 and f"`{named}`" in response.error["message"]
    assert response.error["code"] == "InvalidParameter" and response.error["type"] == ""
    assert caller.sandbox.images_made == 0 and len(caller.sandbox.posts) == 1


@pytest.mark.parametrize("fields", [{"prompt": ""}, {"prompt": "  "}, {"prompt": None},
                                    {"prompt": 3}, {"model": ""}, {"model": None}])  # fmt: skip
def test_body_without_model_or_prompt_is_refused(caller: Caller, fields: dict[str, Any]) -> None:
    assert caller.post(**fields).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_body_other_than_an_object_is_refused(caller: Caller, body: bytes) -> None:
    response = caller.ask("POST", GENERATE, body, Content_Type="application/json")
    assert response.status == 400


def test_refusals_have_their_documented_codes(caller: Caller) -> None:
    text = caller.ask("POST", GENERATE, b'{"model":"x"}', Content_Type="text/plain")
    assert text.status == 400
    unknown = caller.post(model="Seedream-9")
    assert (unknown.status, unknown.error["code"]) == (503, "model_not_found")
    told = "No available channel for model Seedream-9 under group default"
    assert told in unknown.error["message"]
    blocked = caller.post(prompt="x [blocked]")
    assert (blocked.status, blocked.error["code"]) == (500, "sensitive_words_detected")
    moderated = caller.post(model=NOW_5, prompt="x [moderated]")
    assert moderated.status == 400
    assert moderated.error["code"] == "InputTextSensitiveContentDetected"
    large = caller.post(prompt="x" * (25 * 1024 * 1024))
    assert (large.status, large.error["code"]) == (413, "read_request_body_failed")
    assert caller.sandbox.images_made == 0


def test_every_ratio_and_tier_is_accepted(caller: Caller) -> None:
    for ratio in RATIOS:
        assert caller.post(size=ratio, prompt_priority="fast", quality="1K").status == 200
    assert caller.post(n=15, quality="4K").status == 200


def test_strict_also_refuses_doubted_values(make: Callable[..., Caller]) -> None:
    doubted: list[dict[str, Any]] = [
        {"model": LATER_45, "quality": "1K"},
        {"model": LATER_5, "prompt_priority": "fast"},
        {"model": NOW_45, "output_format": "png"},
        {"model": LATER_40, "prompt": "x" * 2001},
    ]
    lenient, strict = make(), make(strict=True)
    for fields in doubted:
        assert lenient.post(**fields).status == 200
        assert strict.post(**fields).status == 400
    assert strict.post(model=LATER_40, quality="1K", prompt_priority="fast").status == 200


# ---- how many, which shape, which format ----


@pytest.mark.parametrize(
    ("prompt", "n", "made"),
    [
        ("A cat", 4, 1), ("generate 4 images of a cat", 4, 4), ("4 images", 3, 3),
        ("four different pictures", 5, 4), ("a group of 3", 4, 3), ("A series of five shots", 9, 5),
        ("a series of images", 4, 4), ("2 different cats", 4, 2), ("生成4张猫的图片", 4, 4),
        ("四张海报", 15, 4), ("十二张图", 15, 12), ("一张图", 4, 1), ("两张桌子", 4, 1),
        ("a cat in 4K, 16:9 images", 4, 1), ("four cats", 4, 1), ("one image", 4, 1),
        ("2 high quality photos", 1, 1), ("several images", 3, 3), ("3 cats in images", 4, 1),
    ],
)  # fmt: skip
def test_count_follows_the_prompt_up_to_n(caller: Caller, prompt: str, n: int, made: int) -> None:
    assert len(caller.finished(prompt=prompt, n=n)) == made
    assert caller.sandbox.images_made == made


def test_ratio_follows_the_prompt_without_a_field(caller: Caller) -> None:
    for prompt, ratio in (("a cat, 16:9", "16:9"), ("猫，宽高比 9：16", "9:16"),
                          ("aspect ratio 3:2", "3:2"), ("at 12:30", "1:1")):  # fmt: skip
        [item] = caller.post(model=NOW_45, prompt=prompt).json["data"]
        assert size_of(caller.get(item["url"]).body) == PIXELS["2K"][ratio]
    [item] = caller.finished(prompt="a cat, 3:4", size="auto", quality="1K")
    assert size_of(caller.get(item["url"]).body) == PIXELS["1K"]["3:4"]


def test_output_format_follows_the_model(caller: Caller) -> None:
    for model, asked, kind in ((NOW_5, "png", "PNG"), (NOW_5, "jpeg", "JPEG"),
                               (NOW_45, "png", "JPEG")):  # fmt: skip
        [item] = caller.post(model=model, output_format=asked).json["data"]
        image = caller.get(item["url"])
        assert Image.open(io.BytesIO(image.body)).format == kind
        assert image.headers["content-type"] == f"image/{kind.lower()}"


def test_images_are_equal_for_equal_requests_only(caller: Caller) -> None:
    def drawn(**fields: Any) -> list[bytes]:
        return [caller.get(item["url"]).body for item in caller.finished(quality="1K", **fields)]

    first = drawn(prompt="2 images", n=2)
    assert first == drawn(prompt="2 images", n=2)
    assert first[0] != first[1] and first[0] != drawn(prompt="2 images!", n=2)[0]


def test_mixed_sizes_gives_a_group_different_sizes(caller: Caller) -> None:
    items = caller.finished(prompt="3 images [mixed sizes]", n=3, quality="1K")
    assert len({size_of(caller.get(item["url"]).body) for item in items}) == 3
