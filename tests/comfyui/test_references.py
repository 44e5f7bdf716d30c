"""References: which pictures reach the service, and in which order."""

from __future__ import annotations

import base64
import io
import json
import urllib.request
from typing import Any

import pytest
from PIL import Image

from support import workflows
from support.comfy_fixture import ComfyFixture

RED, GREEN, BLUE, GREY = (250, 0, 0), (0, 250, 0), (0, 0, 250), (90, 90, 90)


def opened(reference: str) -> Image.Image:
    """The picture that was sent, inline or by the sandbox's image host."""
    if reference.startswith("data:"):
        data = base64.b64decode(reference.partition(",")[2])
    else:
        with urllib.request.urlopen(reference) as answer:
            data = answer.read()
    return Image.open(io.BytesIO(data)).convert("RGB")


def sent_colours(comfy: ComfyFixture, prompt: str, field: str = "image_urls") -> list[Any]:
    (post,) = comfy.posts(prompt)
    return [opened(reference).getpixel((5, 5)) for reference in post.json[field]]


def upload(comfy: ComfyFixture, colour: tuple[int, int, int]) -> str:
    """A picture at an address that the service can read."""
    png = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(png, "PNG")
    request = urllib.request.Request(
        f"{comfy.sandbox.url}/sandbox/images",
        data=png.getvalue(),
        headers={"Authorization": "Bearer sk-sandbox-free", "Content-Type": "image/png"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["url"])


def frames_and_single(generator: dict[str, Any]) -> dict[str, Any]:
    """A batch of three frames and one single picture, linked to a generator."""
    return {
        "1": workflows.colour(*RED),
        "2": workflows.colour(*GREEN),
        "3": workflows.colour(*BLUE),
        "4": workflows.batch("1", "2"),
        "5": workflows.batch("4", "3"),
        "6": workflows.colour(*GREY),
        "7": {
            **generator,
            "inputs": {
                **generator["inputs"],
                "images.image_1": ["5", 0],
                "images.image_2": ["6", 0],
            },
        },
        "8": workflows.look("7"),
    }


def test_frames_then_singles_then_addresses_keep_their_order(
    comfy: ComfyFixture, prompt: str
) -> None:
    white, black = upload(comfy, (255, 255, 255)), upload(comfy, (0, 0, 0))
    node = workflows.evolink(prompt, image_urls=f"{white}\n\n  {black}  \n")
    comfy.run(frames_and_single(node))
    expected = [RED, GREEN, BLUE, GREY, (255, 255, 255), (0, 0, 0)]
    assert sent_colours(comfy, prompt) == expected


def test_they_can_travel_inline_to_the_preferential_family(
    comfy: ComfyFixture, prompt: str
) -> None:
    with comfy.settings(SEEDREAM_UPLOAD="inline"):
        comfy.run(frames_and_single(workflows.preferential(prompt)))
    assert sent_colours(comfy, prompt, "image") == [RED, GREEN, BLUE, GREY]
    (post,) = comfy.posts(prompt)
    assert all(reference.startswith("data:image/") for reference in post.json["image"])


def test_tenth_input_comes_after_the_ninth_and_gaps_are_fine(
    comfy: ComfyFixture, prompt: str
) -> None:
    numbers = [14, 10, 2, 9, 1]  # as a prompt may contain them; the others are bypassed or muted
    graph: dict[str, Any] = {str(number): workflows.colour(number * 10, 0, 0) for number in numbers}
    links = {f"images.image_{number}": [str(number), 0] for number in numbers}
    graph["20"] = workflows.evolink(prompt, **links)
    graph["21"] = workflows.look("20")
    comfy.run(graph)
    assert [c[0] // 10 for c in sent_colours(comfy, prompt)] == [1, 2, 9, 10, 14]


def test_fourteen_frames_are_the_most(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=14),
        "2": workflows.evolink(prompt, **{"images.image_3": ["1", 0]}),
        "3": workflows.look("2"),
    }
    comfy.run(graph)
    assert len(sent_colours(comfy, prompt)) == 14


@pytest.mark.parametrize("make", [workflows.evolink, workflows.preferential])
def test_fifteen_are_refused_before_anything_is_sent(
    comfy: ComfyFixture, prompt: str, make: Any
) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=14),
        "2": make(prompt, image_urls="https://example.com/a.png", **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    asked = len(comfy.sandbox.requests)
    message = comfy.fail(graph)
    assert "There are 15 reference images" in message and "every model: at most 14" in message
    assert (
        "参考图共有 15 张" in message
        and "每个模型：最多接受 14 张" in message
        and "Nothing was charged." in message
    )
    assert len(comfy.sandbox.requests) == asked


def test_references_and_n_are_bounded_together(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=13),
        "2": workflows.evolink(prompt, n=3, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    message = comfy.fail(graph)
    assert "n may be at most 2" in message and "合计最多 15" in message
    assert comfy.posts(prompt) == []


def test_reference_that_is_too_small_is_refused(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.colour(*RED, side=8),
        "2": workflows.evolink(prompt, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    assert "8 x 8 pixels" in comfy.fail(graph)
    assert comfy.posts(prompt) == []


def test_same_pixels_elsewhere_are_the_same_reference(comfy: ComfyFixture, prompt: str) -> None:
    one = {
        "1": workflows.colour(*RED, batch=2),
        "2": workflows.evolink(prompt, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    other = {
        "1": workflows.colour(*RED),
        "2": workflows.evolink(prompt, **{"images.image_4": ["1", 0], "images.image_9": ["1", 0]}),
        "3": workflows.look("2"),
    }
    comfy.run(one)
    comfy.run(other)
    assert len(comfy.posts(prompt)) == 1
