"""Upload References: lists and batches become URLs in order, once, and the URLs can be used."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from typing import Any

import graphs
from PIL import Image
from studio import Studio, shown

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def upload(**images: Any) -> graphs.Node:
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


def uploads(studio: Studio, path: str = "/sandbox/images") -> int:
    return sum(r.method == "POST" and r.path.startswith(path) for r in studio.sandbox.requests)


def outputs(studio: Studio, graph: dict[str, Any], node: str) -> tuple[list[str], dict[str, Any]]:
    """Run it and read the node's two outputs."""
    shows = {"98": graphs.show(node, 0), "99": graphs.show(node, 1)}
    outcome = studio.run({**graph, **shows})
    return shown(outcome, "98").splitlines(), json.loads(shown(outcome, "99"))


def test_batches_lists_and_gaps_are_flattened_in_order(studio: Studio, wish: str) -> None:
    graph = {
        "1": graphs.colour(*RED, batch=2),
        "2": graphs.evolink(f"{wish} a series of 2 images", n=2),
        "3": graphs.colour(*GREEN, side=40),
        "4": graphs.colour(*BLUE, side=48),
        "5": upload(image_10=["4", 0], image_9=["3", 0], image_3=["2", 1], image_1=["1", 0]),
        "6": graphs.evolink(f"{wish} with them", image_urls=["5", 0]),
        "7": graphs.look("6"),
    }
    urls, report = outputs(studio, graph, "5")
    assert [image["name"] for image in report["images"]] == [
        "image_1, frame 1", "image_1, frame 2", "image_3, item 1", "image_3, item 2", "image_9",
        "image_10",
    ]  # fmt: skip
    colours = colours_of(urls)
    assert colours[:2] == [RED, RED] and colours[4:] == [GREEN, BLUE]
    assert len(urls) == 6 and urls[0] == urls[1] and len(set(urls)) == 5
    [post] = studio.posts(f"{wish} with them")
    assert post.json["image_urls"] == urls
    for image in report["images"]:
        assert image["way"] == "sandbox" and image["lossless"] and image["bytes"] > 0
        assert image["type"] == "image/png" and image["expires"] is None
    assert (report["images"][4]["width"], report["images"][5]["height"]) == (40, 48)


def test_the_same_pictures_are_sent_once_by_whichever_node(studio: Studio) -> None:
    def graph(*sides: int) -> dict[str, Any]:
        return {
            "1": graphs.colour(9, 8, 7, side=33),
            "2": graphs.colour(9, 8, 7, side=sides[0]),
            "3": upload(image_1=["1", 0], image_2=["2", 0]),
        }

    before = uploads(studio)
    first, report = outputs(studio, graph(34), "3")
    assert [image["reused"] for image in report["images"]] == [False, False]
    second, report = outputs(studio, graph(35), "3")
    assert [image["reused"] for image in report["images"]] == [True, False]
    assert uploads(studio) - before == 3 and first[0] == second[0]


def test_without_a_way_that_gives_urls_the_node_names_the_ways(studio: Studio) -> None:
    graph = {"1": graphs.colour(1, 2, 3), "2": upload(image_1=["1", 0]), "3": graphs.show("2", 0)}
    with studio.settings(SEEDREAM_UPLOAD="inline"):
        message = studio.fail(graph)
    for part in ("S3_BUCKET", "EVOLINK_KEY", "HTTP_URL", "没有配置"):
        assert part in message


def test_nothing_connected_and_pictures_that_the_service_would_not_take(studio: Studio) -> None:
    assert "No image is connected" in studio.fail({"1": upload(), "2": graphs.show("1", 0)})
    tiny = {
        "1": graphs.colour(1, 2, 3, side=8),
        "2": upload(image_1=["1", 0]),
        "3": graphs.show("2", 0),
    }
    assert "at least 15 pixels" in studio.fail(tiny)


def test_a_failed_upload_says_which_way_failed(studio: Studio) -> None:
    from seedream_api.sandbox import WrongType

    studio.sandbox.faults.push("reference", WrongType(), times=100)
    graph = {"1": graphs.colour(7, 7, 7), "2": upload(image_1=["1", 0]), "3": graphs.show("2", 0)}
    message = studio.fail(graph)
    assert "uploaded to sandbox" in message and "Nothing was charged" in message


def test_a_cached_run_never_outlives_its_urls(studio: Studio) -> None:
    from seedream_api.sandbox import HOST_KEY

    studio.clock.run(studio.clock.STOPPED)
    graph = {"1": graphs.colour(5, 5, 5), "2": upload(image_1=["1", 0]), "3": graphs.show("2", 0)}
    settings = {
        "SEEDREAM_UPLOAD": "http",
        "SEEDREAM_UPLOAD_HTTP_URL": f"imgbb+{studio.sandbox.url}/imgbb",
        # Ten minutes before its end a URL is given out no more: this one has ten seconds.
        "SEEDREAM_UPLOAD_HTTP_FIELDS": json.dumps({"key": HOST_KEY, "expiration": "610"}),
    }
    before = uploads(studio, "/imgbb")
    with studio.settings(**settings):
        begun = time.monotonic()
        assert "2" in studio.run(graph).executed
        assert "2" not in studio.run(graph).executed
        assert time.monotonic() - begun < 9
        time.sleep(begun + 11 - time.monotonic())
        assert "2" in studio.run(graph).executed
    assert uploads(studio, "/imgbb") - before == 2
