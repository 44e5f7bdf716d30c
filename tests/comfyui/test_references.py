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
from support.comfy_fixture import Studio

RED, GREEN, BLUE, GREY = (250, 0, 0), (0, 250, 0), (0, 0, 250), (90, 90, 90)


def opened(reference: str) -> Image.Image:
    """The picture that was sent, inline or by the sandbox's image host."""
    if reference.startswith("data:"):
        data = base64.b64decode(reference.partition(",")[2])
    else:
        with urllib.request.urlopen(reference) as answer:
            data = answer.read()
    return Image.open(io.BytesIO(data)).convert("RGB")


def sent_colours(studio: Studio, wish: str, field: str = "image_urls") -> list[Any]:
    (post,) = studio.posts(wish)
    return [opened(reference).getpixel((5, 5)) for reference in post.json[field]]


def upload(studio: Studio, colour: tuple[int, int, int]) -> str:
    """A picture at an address that the service can read."""
    png = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(png, "PNG")
    request = urllib.request.Request(
        f"{studio.sandbox.url}/sandbox/images",
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


def test_frames_then_singles_then_addresses_keep_their_order(studio: Studio, wish: str) -> None:
    white, black = upload(studio, (255, 255, 255)), upload(studio, (0, 0, 0))
    node = workflows.evolink(wish, image_urls=f"{white}\n\n  {black}  \n")
    studio.run(frames_and_single(node))
    expected = [RED, GREEN, BLUE, GREY, (255, 255, 255), (0, 0, 0)]
    assert sent_colours(studio, wish) == expected


def test_they_can_travel_inline_to_the_preferential_family(studio: Studio, wish: str) -> None:
    with studio.settings(SEEDREAM_UPLOAD="inline"):
        studio.run(frames_and_single(workflows.preferential(wish)))
    assert sent_colours(studio, wish, "image") == [RED, GREEN, BLUE, GREY]
    (post,) = studio.posts(wish)
    assert all(reference.startswith("data:image/") for reference in post.json["image"])


def test_the_tenth_input_comes_after_the_ninth_and_gaps_are_fine(studio: Studio, wish: str) -> None:
    numbers = [14, 10, 2, 9, 1]  # as they may stand in a prompt; the others are bypassed or muted
    graph: dict[str, Any] = {str(number): workflows.colour(number * 10, 0, 0) for number in numbers}
    links = {f"images.image_{number}": [str(number), 0] for number in numbers}
    graph["20"] = workflows.evolink(wish, **links)
    graph["21"] = workflows.look("20")
    studio.run(graph)
    assert [c[0] // 10 for c in sent_colours(studio, wish)] == [1, 2, 9, 10, 14]


def test_fourteen_frames_are_the_most(studio: Studio, wish: str) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=14),
        "2": workflows.evolink(wish, **{"images.image_3": ["1", 0]}),
        "3": workflows.look("2"),
    }
    studio.run(graph)
    assert len(sent_colours(studio, wish)) == 14


@pytest.mark.parametrize("make", [workflows.evolink, workflows.preferential])
def test_fifteen_are_refused_before_anything_is_sent(studio: Studio, wish: str, make: Any) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=14),
        "2": make(wish, image_urls="https://example.com/a.png", **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    asked = len(studio.sandbox.requests)
    message = studio.fail(graph)
    assert "There are 15 reference images" in message and "at most 14" in message
    assert "参考图共有 15 张" in message and "Nothing was charged." in message
    assert len(studio.sandbox.requests) == asked


def test_references_and_n_are_bounded_together(studio: Studio, wish: str) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=13),
        "2": workflows.evolink(wish, n=3, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    message = studio.fail(graph)
    assert "n may be at most 2" in message and "合计最多 15" in message
    assert studio.posts(wish) == []


def test_a_reference_that_is_too_small_is_refused(studio: Studio, wish: str) -> None:
    graph = {
        "1": workflows.colour(*RED, side=8),
        "2": workflows.evolink(wish, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    assert "8 x 8 pixels" in studio.fail(graph)
    assert studio.posts(wish) == []


def test_the_same_pixels_elsewhere_are_the_same_reference(studio: Studio, wish: str) -> None:
    one = {
        "1": workflows.colour(*RED, batch=2),
        "2": workflows.evolink(wish, **{"images.image_1": ["1", 0]}),
        "3": workflows.look("2"),
    }
    other = {
        "1": workflows.colour(*RED),
        "2": workflows.evolink(wish, **{"images.image_4": ["1", 0], "images.image_9": ["1", 0]}),
        "3": workflows.look("2"),
    }
    studio.run(one)
    studio.run(other)
    assert len(studio.posts(wish)) == 1
