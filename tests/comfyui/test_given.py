"""What an API prompt or a link may give a node: refused in our own words, nothing sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import workflows
from support.bad_input import MAKERS, refused
from support.comfy_fixture import ComfyFixture, seen, shown

PICTURE = {"8": workflows.colour(1, 2, 3)}
LINK = ["8", 0]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "given",
    [
        {"image_1": LINK}, {"image1": LINK}, {"images.image1": LINK}, {"images.image_0": LINK},
        {"images.image_15": LINK}, {"image": LINK}, {"image_url": LINK}, {"Images.image_1": LINK},
        {"images": {"image_1": LINK}}, {"images": [LINK]}, {"images": LINK}, {"images": "fixed"},
        {"reference": LINK}, {"ref_image": LINK}, {"anything": LINK},
        {"anything": {"deep": [LINK]}},
        {"images.image_1.image": LINK}, {"image_urls.0": "https://example.com/a.png"},
        {"image_url": "https://example.com/a.png"}, {"promt": "another prompt"},
    ],
    ids=str,
)  # fmt: skip
def test_misnamed_reference_is_refused(
    comfy: ComfyFixture, prompt: str, make: Any, given: dict[str, Any]
) -> None:
    message = refused(comfy, make(prompt, **given), **PICTURE)
    assert next(iter(given)) in message and comfy.posts(prompt) == []


@pytest.mark.parametrize("make", MAKERS)
def test_inputs_of_other_packs_are_noted(comfy: ComfyFixture, prompt: str, make: Any) -> None:
    report = 4 if make is workflows.evolink else 3
    node = make(prompt, **{"images.image_1": LINK, "Comfy.Group.color": "#fff", "speed_preview": 3})
    outcome = comfy.run({"1": node, "2": workflows.show("1", report), **PICTURE})
    told = json.loads(shown(outcome, "2"))
    assert told["references"] == 1
    for name in ("Comfy.Group.color", "speed_preview"):
        assert any(name in note for note in told["notes"])
    assert len(comfy.posts(prompt)) == 1


@pytest.mark.parametrize("make", MAKERS)
def test_wrong_fit_is_refused_before_paying(comfy: ComfyFixture, prompt: str, make: Any) -> None:
    message = refused(comfy, make(prompt, fit=["7", 0]), **{"7": values_node("text", prompt)})
    assert "fit" in message and "pad, crop, stretch" in message and comfy.posts(prompt) == []


def values_node(kind: str, prompt: str) -> dict[str, Any]:
    return {"class_type": "TestValue", "inputs": {"kind": kind, "nonce": prompt}}


IMAGES = ("None", "list", "number", "dict", "text", "empty batch", "no pixels", "mask", "integers",
          "latent", "array", "nested")  # fmt: skip
TEXTS = ("None", "list", "number", "float", "dict", "bytes", "array")


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("make", [*MAKERS, None])
def test_link_that_brings_no_image_is_refused(
    comfy: ComfyFixture, prompt: str, make: Any, kind: str
) -> None:
    given = {"images.image_1": ["7", 0]}
    uploader = {"class_type": "SeedreamUploadReferences", "inputs": given}
    node = make(prompt, **given) if make else uploader
    message = refused(comfy, node, **{"7": values_node(kind, prompt)})
    assert "images.image_1" in message and comfy.posts(prompt) == []


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize(
    ("field", "node"),
    [
        ("urls", workflows.load_urls(["7", 0])),
        ("task_id", workflows.poll(["7", 0])),
        ("image_urls", workflows.evolink("a prompt", image_urls=["7", 0])),
        ("prompt", workflows.preferential(["7", 0])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_link_that_brings_no_text_is_refused(
    comfy: ComfyFixture, prompt: str, field: str, node: dict[str, Any], kind: str
) -> None:
    message = refused(comfy, node, **{"7": values_node(kind, prompt)})
    assert field in message


def test_good_image_beside_another_input_is_sent(comfy: ComfyFixture, prompt: str) -> None:
    node = workflows.evolink(prompt, **{"images.image_3": LINK})
    assert seen(comfy.run({"1": node, "2": workflows.look("1"), **PICTURE}), "2")
    assert len(comfy.posts(prompt)[0].json["image_urls"]) == 1
