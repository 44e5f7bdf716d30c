"""Load URL Images in a real graph: what it fetches, what it refuses, what it keeps."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import ComfyFixture, seen, shown
from support.comfy_launch import free_port
from support.image_server import ImageServer, png

RED, GREEN = (250, 0, 0), (0, 250, 0)


@pytest.fixture
def private() -> Iterator[ImageServer]:
    """A host inside the private network that no setting allows."""
    with ImageServer().serving() as host:
        yield host


@pytest.fixture
def host(comfy: ComfyFixture, private: ImageServer) -> Iterator[ImageServer]:
    """A host that ``SEEDREAM_ALLOW_HOSTS`` names."""
    with comfy.settings(SEEDREAM_ALLOW_HOSTS=private.netloc):
        yield private


def graph_of(urls: Any, **inputs: Any) -> dict[str, Any]:
    return {
        "1": workflows.load_urls(urls, **inputs),
        "2": workflows.look("1", 0),
        "3": workflows.look("1", 1),
        "4": workflows.look("1", 2),
        "5": workflows.show("1", 3),
    }


def statuses(outcome: Any) -> list[str]:
    return [image["status"] for image in json.loads(shown(outcome, "5"))["images"]]


def test_pictures_masks_and_mixed_sizes(comfy: ComfyFixture, host: ImageServer) -> None:
    opaque = host.put("opaque.png", png((40, 20), RED))
    clear = host.put("clear.png", png((20, 40), (*GREEN, 0)))
    half = host.put("half.png", png((40, 40), (*GREEN, 51)))
    outcome = comfy.run(graph_of(f"{opaque}\n{clear}\n{half}"))
    (batch,), (masks,), items = (seen(outcome, node) for node in ("2", "3", "4"))
    assert batch["shape"] == [3, 40, 40, 3] and masks["shape"] == [3, 40, 40]
    assert [one["shape"] for one in items] == [[1, 20, 40, 3], [1, 40, 20, 3], [1, 40, 40, 3]]
    assert [round(middle[0], 3) for middle in masks["middles"]] == [0, 1, 0.8]
    assert statuses(outcome) == ["ok"] * 3


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_mixed_sizes_in_other_fits(comfy: ComfyFixture, host: ImageServer, fit: str) -> None:
    urls = [host.put("a.png", png((40, 20), RED)), host.put("b.png", png((20, 40), GREEN))]
    outcome = comfy.run(graph_of("\n".join(urls), fit=fit))
    assert seen(outcome, "2")[0]["shape"] == [2, 40, 40, 3]
    assert seen(outcome, "3")[0]["shape"] == [2, 40, 40]


def test_linked_lists_are_flattened_once(comfy: ComfyFixture, host: ImageServer) -> None:
    urls = [host.put(f"{name}.png", png((8, 8), RED)) for name in "abc"]
    graph = {"9": workflows.texts(*urls, urls[0]), **graph_of(["9", 0])}
    outcome = comfy.run(graph)
    assert [one["shape"][0] for one in seen(outcome, "2")] == [4], "one run for the whole list"
    assert sorted(host.asked) == ["/a.png", "/b.png", "/c.png"], "equal ones are fetched once"


def data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_urls_may_have_commas_and_data_uris_are_images(
    comfy: ComfyFixture, host: ImageServer
) -> None:
    comma = host.put("a,b;c=1,w_400,h_300/d.png", png((8, 8), RED))
    inside = data_uri(png((8, 8), (*GREEN, 0)))
    urls = [comma, inside, inside.replace("data:", "DATA:"), comma]
    outcome = comfy.run(graph_of("\n".join(urls)))
    (batch,), (masks,) = seen(outcome, "2"), seen(outcome, "3")
    colours = [[round(value * 255) for value in middle[:3]] for middle in batch["middles"]]
    assert colours == [list(RED), list(GREEN), list(GREEN), list(RED)]
    assert [round(middle[0]) for middle in masks["middles"]] == [0, 1, 1, 0]
    assert host.asked == ["/a,b;c=1,w_400,h_300/d.png"], "whole, and once"
    names = [image["url"] for image in json.loads(shown(outcome, "5"))["images"]]
    assert names == [comma, "a data URI", "a data URI", comma], "no pixels in a report"


def test_skip_tells_the_outcome_of_every_address_in_order(
    comfy: ComfyFixture, private: ImageServer, host: ImageServer
) -> None:
    sound = png((16, 16), RED)
    good = host.put("good.png", sound)
    urls = {
        good: "",
        host.put(
            "torn.png", sound[:41] + bytes(len(sound) - 57) + sound[-16:]
        ): "not a readable image",
        host.put("page.png", b"<html>Sign in"): "looks like: HTML",
        "http://10.1.2.3/a.png": "not on the public internet",
        "http://127.1/a.png": "unusual spelling of 127.0.0.1",
        "file:///etc/passwd": "not an http or https address",
        data_uri(b"<html>"): "looks like: HTML",
        data_uri(sound): "",
    }
    outcome = comfy.run(graph_of("\n".join([*urls, good]), on_error="skip"))
    images = json.loads(shown(outcome, "5"))["images"]
    assert len(images) == len(urls) + 1
    for image, words in zip(images, [*urls.values(), ""], strict=True):
        assert image["status"] == ("failed" if words else "ok")
        assert words in image.get("reason", "")
    assert seen(outcome, "2")[0]["shape"] == [3, 16, 16, 3]
    assert "6 failed" in outcome.texts("1")[-1]


def test_bad_address_fails_the_node_or_is_skipped(comfy: ComfyFixture, host: ImageServer) -> None:
    good = host.put("good.png", png((8, 8), RED))
    page = host.put("page.html", b"<!doctype html><title>Sign in</title>")
    bad = f"http://{host.netloc}/missing.png"
    message = comfy.fail(graph_of(f"{bad}\n{good}"))
    assert "1 of 2 URLs could not be loaded" in message and "HTTP 404" in message
    assert "2 个 URL 中有 1 个无法加载" in message
    message = comfy.fail(graph_of(page))
    assert "is not an image" in message and "不是图片" in message
    outcome = comfy.run(graph_of(f"{bad}\n{good}\n{page}", on_error="skip"))
    assert seen(outcome, "2")[0]["shape"][0] == 1 and len(seen(outcome, "4")) == 1
    assert statuses(outcome) == ["failed", "ok", "failed"]
    assert "2 failed" in outcome.texts("1")[-1]


def test_with_nothing_loaded_skip_fails_as_well(comfy: ComfyFixture, host: ImageServer) -> None:
    message = comfy.fail(graph_of(f"http://{host.netloc}/missing.png", on_error="skip"))
    assert "404" in message
    urls = "\n".join(f"http://{host.netloc}/{name}.png" for name in "ab")
    message = comfy.fail(graph_of(urls, on_error="skip"))
    assert "2 of 2 URLs could not be loaded" in message
    assert "or set on_error" not in message, "it is set already"


def test_skipped_urls_are_retried_and_full_lists_cached(
    comfy: ComfyFixture, host: ImageServer
) -> None:
    good = host.put("good.png", png((8, 8), RED))
    late = f"http://{host.netloc}/late.png"
    graph = graph_of(f"{good}\n{late}", on_error="skip")
    for _ in range(2):
        outcome = comfy.run(graph)
        assert "1" in outcome.executed and statuses(outcome) == ["ok", "failed"]
    host.put("late.png", png((8, 8), GREEN))
    assert statuses(comfy.run(graph)) == ["ok", "ok"]
    comfy.run(graph)
    assert comfy.run(graph).executed == set()


def test_unreachable_host_is_reported(comfy: ComfyFixture, private: ImageServer) -> None:
    closed = f"127.0.0.1:{free_port()}"
    with comfy.settings(SEEDREAM_ALLOW_HOSTS=f"{private.netloc}, {closed}"):
        good = private.put("good.png", png((8, 8), RED))
        outcome = comfy.run(graph_of(f"{good}\nhttp://{closed}/a.png", on_error="skip"))
    assert statuses(outcome) == ["ok", "failed"]
    reason = json.loads(shown(outcome, "5"))["images"][1]["reason"]
    assert f"http://{closed}/a.png could not be fetched" in reason


@pytest.mark.parametrize("spelling", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_private_address_is_refused_unasked(
    comfy: ComfyFixture, private: ImageServer, spelling: str
) -> None:
    private.put("secret.png", png((8, 8), RED))
    url = f"http://{private.netloc.replace('127.0.0.1', spelling)}/secret.png"
    message = comfy.fail(graph_of(url))
    assert "not on the public internet" in message and "不是公网地址" in message
    assert "SEEDREAM_ALLOW_HOSTS=" in message
    assert private.asked == []


def test_odd_spelling_of_a_private_address_is_refused_unasked(
    comfy: ComfyFixture, private: ImageServer
) -> None:
    message = comfy.fail(graph_of(f"http://{private.netloc.replace('127.0.0.1', '127.1')}/a.png"))
    assert "unusual spelling of 127.0.0.1" in message and private.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/a.png", "a.png"])
def test_other_schemes_are_refused(comfy: ComfyFixture, url: str) -> None:
    message = comfy.fail(graph_of(url))
    assert "not an http or https address" in message and "不是 http 或 https URL" in message


def test_empty_list_says_what_to_do(comfy: ComfyFixture) -> None:
    message = comfy.fail(graph_of(" \n"))
    assert "urls is empty" in message and "urls 为空" in message


def test_results_come_from_the_store_after_the_service_is_gone(
    comfy: ComfyFixture, prompt: str
) -> None:
    made = comfy.run(
        {
            "1": workflows.evolink(f"{prompt} a series of 2 images", n=2),
            "2": workflows.show("1", 2),
            "3": workflows.look("1", 0),
        }
    )
    urls = shown(made, "2")
    assert len(urls.splitlines()) == 2
    comfy.sandbox.stop()
    outcome = comfy.run(graph_of(urls))
    assert seen(outcome, "2") == seen(made, "3")
    assert [image["from_store"] for image in json.loads(shown(outcome, "5"))["images"]] == [
        True
    ] * 2


def test_another_result_url_of_a_loopback_service_is_private(
    comfy: ComfyFixture, prompt: str
) -> None:
    # Only what the record holds is given; a workflow may not browse the service's host.
    made = comfy.run({"1": workflows.evolink(prompt), "2": workflows.show("1", 2)})
    other = shown(made, "2").replace("/0.", "/1.")
    asked = len(comfy.sandbox.requests)
    assert "not on the public internet" in comfy.fail(graph_of(other))
    assert len(comfy.sandbox.requests) == asked
