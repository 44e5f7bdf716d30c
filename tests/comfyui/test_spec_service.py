"""The nodes against a service built from its documentation alone: every shape of a response.

See spec_service.py; statuses and refusals are in test_second_statuses.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from support import spec_service, workflows
from support.comfy_fixture import seen, shown
from support.spec_fixture import World, check_images, evolink_graph, preferential_graph
from support.spec_service import Job, Script, Told, complete, picture

# ---- what the main page shows ----


@pytest.mark.parametrize("model", spec_service.AT_ONCE)
@pytest.mark.parametrize("size", ["2K", "4K"])
def test_preferential_family_as_documented(world: World, model: str, size: str) -> None:
    prompt = f"一只猫在草地上玩耍 {model} {size}"
    outcome = world.run(preferential_graph(prompt, model=model, size=size))
    check_images(outcome, 1)
    (body,) = world.posts(prompt)
    assert body == {"model": model, "prompt": prompt, "size": size, "watermark": False}
    assert shown(outcome, "3").startswith(world.service.images_url)


@pytest.mark.parametrize("model", spec_service.LATER)
def test_evolink_family_as_documented(world: World, model: str) -> None:
    prompt = f"A cat playing on the grass, {model}"
    inputs = {"model": model, "size": "16:9", "quality": "2K", "n": 4}
    outcome = world.run(evolink_graph(prompt, **inputs))
    check_images(outcome, 4)
    (body,) = world.posts(prompt)
    assert {name: body[name] for name in inputs} == inputs
    assert set(body) <= {"model", "prompt", "size", "quality", "n", "prompt_priority"}
    assert shown(outcome, "4").startswith("task-second")
    assert len(shown(outcome, "3").splitlines()) == 4


def test_references_of_both_families_reach_the_service(world: World) -> None:
    world.service.files["/ref.png"] = picture(9)
    url = f"{world.service.images_url}/ref.png"
    world.run(evolink_graph("with references", image_urls=url))
    assert world.posts("with references")[0]["image_urls"] == [url]
    graph = preferential_graph("with references at once", image_urls=url)
    graph["1"]["inputs"]["images.image_2"] = ["9", 0]
    graph["9"] = workflows.colour(1, 2, 3, batch=2)
    world.run(graph)
    (body,) = world.posts("with references at once")
    assert [reference[:11] for reference in body["image"]] == ["data:image/"] * 2 + [url[:11]]


def test_submit_now_and_collect_with_poll_task(world: World) -> None:
    graph = evolink_graph("collected later", wait=False)
    outcome = world.run(graph)
    assert "2" not in outcome.outputs
    task_id = shown(outcome, "4")
    assert task_id.startswith("task-second")
    collected = world.run({"1": workflows.poll(task_id), "2": workflows.look("1")})
    check_images(collected, 1)
    assert len(world.posts("collected later")) == 1


# ---- every shape of a result ----


def encoded(job: Job) -> list[str]:
    return [base64.b64encode(picture(place)).decode() for place in range(len(job.urls))]


def evolink_task(job: Job) -> dict[str, Any]:
    """Evolink's query, which names its results by plain links."""
    return {
        "created": job.created, "id": job.id, "model": job.body["model"],
        "object": "image.generation.task", "progress": 100, "results": job.urls,
        "status": "completed", "task_info": {"can_cancel": False}, "type": "image",
        "usage": {"credits_used": 1},
    }  # fmt: skip


def new_api_task(job: Job) -> dict[str, Any]:
    """new-api's task around the provider's own response."""
    data = {"task_id": job.id, "status": "SUCCESS", "progress": "100%", "data": evolink_task(job)}
    return {"code": "success", "message": "", "data": data}


TASKS: dict[str, Callable[[Job], Any]] = {
    "results": evolink_task,
    "result_data": lambda job: {
        "id": job.id, "status": "completed",
        "result_data": [{"image_url": url} for url in job.urls],
    },
    "b64_json": lambda job: {
        "id": job.id, "status": "completed",
        "output": {"data": [{"b64_json": data, "url": ""} for data in encoded(job)]},
    },
    "wrapped": lambda job: {"code": 200, "msg": "success", "data": complete(job)[1]},
    "new-api": new_api_task,
    "data at the top": lambda job: {
        "id": job.id, "status": "succeeded", "data": [{"url": url} for url in job.urls],
    },
    "texts for numbers": lambda job: {
        **complete(job)[1], "progress": "100%", "created_at": str(job.created), "status": "SUCCESS",
    },
    "echoed request": lambda job: {
        "input": {"image_urls": ["http://127.0.0.1:1/echo.png"]}, **complete(job)[1],
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", TASKS)
def test_task_in_every_documented_shape(world: World, shape: str) -> None:
    prompt = f"a task as {shape}"
    world.service.scripts[prompt] = Script(looked=(lambda job: (200, TASKS[shape](job)),))
    check_images(world.run(evolink_graph(prompt, n=3)), 3)
    assert len(world.posts(prompt)) == 1


ANSWERS: dict[str, Callable[[Job], Any]] = {
    "b64_json": lambda job: {
        "created": job.created,
        "data": [{"b64_json": data, "url": "", "revised_prompt": ""} for data in encoded(job)],
    },
    "data uri": lambda job: {
        "data": [{"url": f"data:image/png;base64,{data}"} for data in encoded(job)]
    },
    "ark's": lambda job: {
        "model": job.body["model"], "created": job.created,
        "data": [{"url": url, "size": "48x32", "output_format": "png"} for url in job.urls],
        "usage": {"generated_images": 1, "output_tokens": 1, "total_tokens": 1},
    },
    "bare": lambda job: {"data": [{"url": url} for url in job.urls]},
    "empty b64_json beside": lambda job: {
        "data": [{"b64_json": "", "revised_prompt": "", "url": url} for url in job.urls]
    },
    "wrapped": lambda job: {
        "code": 0, "data": {"data": [{"url": url} for url in job.urls], "created": 1},
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", ANSWERS)
@pytest.mark.parametrize("make", [preferential_graph, evolink_graph])
def test_images_at_once_in_every_documented_shape(world: World, make: Any, shape: str) -> None:
    """From an Evolink model too: the response's shape decides, not the model's name."""
    prompt = f"at once as {shape} {make.__name__}"
    world.service.scripts[prompt] = Script(posted=lambda job: (200, ANSWERS[shape](job)))
    outcome = world.run(make(prompt))
    check_images(outcome, 1)
    assert make is preferential_graph or shown(outcome, "4") == ""


CREATED: dict[str, Callable[[Job], Any]] = {
    "evolink's": lambda job: {
        "created": job.created, "id": job.id, "model": job.body["model"],
        "object": "image.generation.task", "progress": 0, "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 45}, "type": "image",
        "usage": {"billing_rule": "per_call", "credits_reserved": 1.0, "user_group": "default"},
    },
    "by task_id": lambda job: {"task_id": job.id, "created_at": str(job.created)},
    "wrapped": lambda job: {"code": "success", "data": {"task_id": job.id}},
}  # fmt: skip


@pytest.mark.parametrize("shape", CREATED)
@pytest.mark.parametrize("make", [evolink_graph, preferential_graph])
def test_task_id_in_every_documented_shape(world: World, make: Any, shape: str) -> None:
    """From a Preferential model too, if the relay changes its channel."""
    prompt = f"created as {shape} {make.__name__}"
    world.service.scripts[prompt] = Script(posted=lambda job: (200, CREATED[shape](job)))
    check_images(world.run(make(prompt)), 1)


def test_refused_image_of_a_group_leaves_the_others(world: World) -> None:
    def told(job: Job) -> Told:
        error = {"code": "OutputImageSensitiveContentDetected", "message": "not shown"}
        data = [{"url": job.urls[0]}, {"error": error}, {"url": job.urls[2]}]
        return 200, {"id": job.id, "status": "completed", "output": {"data": data}}

    world.service.scripts["a group with a hole"] = Script(looked=(told,))
    outcome = world.run(evolink_graph("a group with a hole", n=3))
    assert seen(outcome, "2")[0]["shape"][0] == 2
    report = json.loads(shown(outcome, "5"))
    assert report["status"] == "partial"
    assert [one["reason"] for one in report["images"] if one["status"] == "failed"] == [
        "not shown (OutputImageSensitiveContentDetected)"
    ]
