"""What a click may charge, as a page asks for it, through a real server."""

from __future__ import annotations

from typing import Any

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.pack_routes import ask


def quote(
    comfy: ComfyFixture, class_type: str = "SeedreamEvolink", **inputs: Any
) -> dict[str, Any]:
    answer = ask(comfy.server, "/quote", {"class_type": class_type, "inputs": inputs})
    assert answer.status == 200, answer.body
    return answer.json()


def test_click_is_quoted_before_it_is_made_and_free_afterwards(
    comfy: ComfyFixture, prompt: str
) -> None:
    inputs: dict[str, Any] = {**workflows.evolink(prompt)["inputs"], "n": 4}
    widgets = {**inputs, "seed": 3, "image_urls": "", "wait": True, "fit": "pad"}
    cost = {"estimated": None, "charged": None, "currency": None}
    expected = {
        "images": 4, "linked": False, "state": None, "sandbox": True, "cost": cost, "limit": None,
    }  # fmt: skip
    first = quote(comfy, **widgets)
    notes = first.pop("notes")
    assert first == expected
    assert "does not ask for several images" in notes["en"][0] and "没有要求多张" in notes["zh"][0]
    several = {**widgets, "prompt": f"a series of 4 images of {prompt}"}
    assert quote(comfy, **several) == expected
    comfy.run({"1": workflows.evolink(prompt, n=4, seed=3), "2": workflows.look("1")})
    posts = len(comfy.sandbox.requests)
    assert quote(comfy, **widgets)["images"] == 0
    assert quote(comfy, **{**widgets, "fit": "crop", "wait": False})["state"] == "completed"
    assert quote(comfy, **{**widgets, "seed": 4})["images"] == 4
    linked = quote(comfy, **{**widgets, "prompt": ["9", 0]})
    assert linked == {**expected, "linked": True}, "each item of a linked list is charged"
    assert quote(comfy, **{**widgets, "n": ["9", 0]})["images"] == 15
    assert len(comfy.sandbox.requests) == posts, "a quote asks the service nothing"


def test_reuse_off_quotes_stored_result_as_charge(comfy: ComfyFixture, prompt: str) -> None:
    inputs = workflows.preferential(prompt)["inputs"]
    comfy.run({"1": workflows.preferential(prompt), "2": workflows.look("1")})
    assert quote(comfy, "SeedreamPreferential", **inputs)["images"] == 0
    with comfy.settings(SEEDREAM_REUSE="off"):
        assert quote(comfy, "SeedreamPreferential", **inputs)["images"] == 1


def test_what_would_fail_is_quoted_with_its_reason(comfy: ComfyFixture, prompt: str) -> None:
    for inputs, reason in (
        ({"prompt": " ", "model": "Seedream-4.0"}, "prompt is empty"),
        ({"prompt": prompt, "model": "Seedream-9"}, "not a known model"),
        ({"prompt": 3, "model": "Seedream-4.0"}, "must be texts"),
    ):
        answer = ask(comfy.server, "/quote", {"class_type": "SeedreamEvolink", "inputs": inputs})
        told = answer.json()
        # No failed request: a browser would log each as an error while a prompt is still empty.
        assert answer.status == 200 and told["images"] == 0 and reason in told["error"]["en"]
