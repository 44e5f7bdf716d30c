"""Bad input on a node: named with field, value and what is allowed, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from support import workflows
from support.bad_input import MAKERS, refused
from support.comfy_fixture import ComfyFixture


@pytest.mark.parametrize("make", MAKERS)
def test_unknown_model(comfy: ComfyFixture, prompt: str, make: Any) -> None:
    message = refused(comfy, make(prompt, model="Seedream-9"))
    assert (
        "model" in message
        and "Seedream-9" in message
        and make(prompt)["inputs"]["model"] in message
    )


@pytest.mark.parametrize("n", [0, 16, -1])
def test_n_outside_its_bounds(comfy: ComfyFixture, prompt: str, n: int) -> None:
    message = refused(comfy, workflows.evolink(prompt, n=n))
    assert "'n'" in message or "n is" in message
    assert str(n) in message and ("15" if n > 1 else "1") in message


@pytest.mark.parametrize("n", [0, 16])
def test_linked_n_that_comfyui_does_not_check(comfy: ComfyFixture, prompt: str, n: int) -> None:
    number = {"class_type": "PrimitiveInt", "inputs": {"value": n}}
    message = refused(comfy, workflows.evolink(prompt, n=["7", 0]), **{"7": number})
    assert f"n is {n}" in message and "1-15" in message


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("width", "height", "allowed"),
    [(14, 64, "at least 15"), (64, 14, "at least 15"), (17 * 20, 20, "1:16"),
     (20, 17 * 20, "1:16"), (6016, 6000, "at most 36000000 pixels")],
)  # fmt: skip
def test_reference_outside_the_services_bounds(
    comfy: ComfyFixture, prompt: str, make: Any, width: int, height: int, allowed: str
) -> None:
    size = {"width": width, "height": height, "batch_size": 1, "color": 0}
    picture = {"class_type": "EmptyImage", "inputs": size}
    node = make(prompt, **{"images.image_1": ["7", 0]})
    message = refused(comfy, node, **{"7": picture})
    assert f"{width} x {height}" in message and allowed in message


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("url", ["ftp://example.com/a.png", "file:///etc/passwd", "a.png"])
def test_invalid_reference_url_is_refused(
    comfy: ComfyFixture, prompt: str, make: Any, url: str
) -> None:
    message = refused(comfy, make(prompt, image_urls=url))
    assert "image_urls" in message and url in message and "http or https" in message


@pytest.mark.parametrize(
    ("given", "words"),
    [({"model": "Seedream-4.5", "quality": "1K"}, "quality = 1K"), ({}, "2500 characters")],
    ids=["1K on 4.5", "a long prompt"],
)
def test_what_only_a_neighbour_doubts_is_sent_with_a_note(
    comfy: ComfyFixture, prompt: str, given: dict[str, Any], words: str
) -> None:
    sent = prompt if given else prompt.ljust(2500, ".")
    outcome = comfy.run({"1": workflows.evolink(sent, **given), "2": workflows.show("1", 4)})
    assert words in outcome.outputs["2"]["text"][0] and len(comfy.posts(prompt)) == 1
