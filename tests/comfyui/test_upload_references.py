"""Upload References: lists and batches become URLs in order, once, and the URLs can be used."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from typing import Any

from PIL import Image

from support import workflows
from support.comfy_fixture import ComfyFixture, shown

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def upload(**images: Any) -> workflows.Node:
    linked = {f"images.{name}": link for name, link in images.items()}
    return {"class_type": "SeedreamUploadReferences", "inputs": linked}


def colours_of(urls: list[str]) -> list[Any]:
    """The first pixel of what each URL serves."""
    found: list[Any] = []
    for url in urls:
        with urllib.request.urlopen(url) as answer:
            picture = Image.open(io.BytesIO(answer.read())).convert("RGB")
        found.append(picture.getpixel((0, 0)))
    return found


def uploads(comfy: ComfyFixture, path: str = "/sandbox/images") -> int:
    return sum(r.method == "POST" and r.path.startswith(path) for r in comfy.sandbox.requests)


def outputs(
    comfy: ComfyFixture, graph: dict[str, Any], node: str
) -> tuple[list[str], dict[str, Any]]:
    """Run it and read the node's two outputs."""
    shows = {"98": workflows.show(node, 0), "99": workflows.show(node, 1)}
    outcome = comfy.run({**graph, **shows})
    return shown(outcome, "98").splitlines(), json.loads(shown(outcome, "99"))


def test_batches_lists_and_gaps_are_flattened_in_order(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.colour(*RED, batch=2),
        "2": workflows.evolink(f"{prompt} a series of 2 images", n=2),
        "3": workflows.colour(*GREEN, side=40),
        "4": workflows.colour(*BLUE, side=48),
        "5": upload(image_10=["4", 0], image_9=["3", 0], image_3=["2", 1], image_1=["1", 0]),
        "6": workflows.evolink(f"{prompt} with them", image_urls=["5", 0]),
        "7": workflows.look("6"),
    }
    urls, report = outputs(comfy, graph, "5")
    assert [image["name"] for image in report["images"]] == [
        "image_1, frame 1", "image_1, frame 2", "image_3, item 1", "image_3, item 2", "image_9",
        "image_10",
    ]  # fmt: skip
    colours = colours_of(urls)
    assert colours[:2] == [RED, RED] and colours[4:] == [GREEN, BLUE]
    assert len(urls) == 6 and urls[0] == urls[1] and len(set(urls)) == 5
    [post] = comfy.posts(f"{prompt} with them")
    assert post.json["image_urls"] == urls
    for image in report["images"]:
        assert image["way"] == "sandbox" and image["lossless"] and image["bytes"] > 0
        assert image["type"] == "image/png" and image["expires"] is None
    assert (report["images"][4]["width"], report["images"][5]["height"]) == (40, 48)


def test_same_pictures_are_sent_once_by_whichever_node(comfy: ComfyFixture) -> None:
    def graph(*sides: int) -> dict[str, Any]:
        return {
            "1": workflows.colour(9, 8, 7, side=33),
            "2": workflows.colour(9, 8, 7, side=sides[0]),
            "3": upload(image_1=["1", 0], image_2=["2", 0]),
        }

    before = uploads(comfy)
    first, report = outputs(comfy, graph(34), "3")
    assert [image["reused"] for image in report["images"]] == [False, False]
    second, report = outputs(comfy, graph(35), "3")
    assert [image["reused"] for image in report["images"]] == [True, False]
    assert uploads(comfy) - before == 3 and first[0] == second[0]


def test_without_a_way_that_gives_urls_the_node_names_the_ways(comfy: ComfyFixture) -> None:
    graph = {
        "1": workflows.colour(1, 2, 3),
        "2": upload(image_1=["1", 0]),
        "3": workflows.show("2", 0),
    }
    with comfy.settings(SEEDREAM_UPLOAD="inline"):
        message = comfy.fail(graph)
    for part in ("S3_BUCKET", "EVOLINK_KEY", "HTTP_URL", "没有配置"):
        assert part in message


def test_upload_without_images_or_out_of_bounds_is_refused(
    comfy: ComfyFixture,
) -> None:
    assert "No image is connected" in comfy.fail({"1": upload(), "2": workflows.show("1", 0)})
    tiny = {
        "1": workflows.colour(1, 2, 3, side=8),
        "2": upload(image_1=["1", 0]),
        "3": workflows.show("2", 0),
    }
    assert "at least 15 pixels" in comfy.fail(tiny)


def test_failed_upload_says_which_way_failed(comfy: ComfyFixture) -> None:
    from support.fake_service import WrongType

    comfy.sandbox.faults.push("reference", WrongType(), times=100)
    graph = {
        "1": workflows.colour(7, 7, 7),
        "2": upload(image_1=["1", 0]),
        "3": workflows.show("2", 0),
    }
    message = comfy.fail(graph)
    assert "uploaded to sandbox" in message and "Nothing was charged" in message


def test_cached_run_never_outlives_its_urls(comfy: ComfyFixture) -> None:
    from support.fake_service import HOST_KEY

    comfy.clock.run(comfy.clock.STOPPED)
    graph = {
        "1": workflows.colour(5, 5, 5),
        "2": upload(image_1=["1", 0]),
        "3": workflows.show("2", 0),
    }
    settings = {
        "SEEDREAM_UPLOAD": "http",
        "SEEDREAM_UPLOAD_HTTP_URL": f"imgbb+{comfy.sandbox.url}/imgbb",
        # Ten minutes before its end a URL is given out no more: this one has ten seconds.
        "SEEDREAM_UPLOAD_HTTP_FIELDS": json.dumps({"key": HOST_KEY, "expiration": "610"}),
    }
    before = uploads(comfy, "/imgbb")
    with comfy.settings(**settings):
        begun = time.monotonic()
        assert "2" in comfy.run(graph).executed
        assert "2" not in comfy.run(graph).executed
        assert time.monotonic() - begun < 9
        time.sleep(begun + 11 - time.monotonic())
        assert "2" in comfy.run(graph).executed
    assert uploads(comfy, "/imgbb") - before == 2
