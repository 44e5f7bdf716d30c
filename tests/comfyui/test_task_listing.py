"""The list of tasks, one task, and Forget, through a real server."""

from __future__ import annotations

from typing import Any

from support import workflows
from support.canary import SECOND_KEY
from support.comfy_fixture import ComfyFixture
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, sent_states


def tasks(comfy: ComfyFixture, prompt: str, **query: object) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in {"text": prompt, **query}.items())
    answer = ask(comfy.server, f"/tasks?{words.replace(' ', '%20')}")
    assert answer.status == 200, answer.body
    return answer.json()["tasks"]


def graph(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(prompt, **inputs), "2": workflows.look("1")}


def test_only_what_a_sandbox_made_is_listed_as_free(
    comfyui: ComfyServer, comfy: ComfyFixture, prompt: str
) -> None:
    from support.fake_service import Account

    assert (
        comfyui.run({"1": workflows.evolink(prompt), "2": workflows.save("1")}).status == "success"
    )
    comfy.accounts[SECOND_KEY] = Account()
    own_key = {"DEEPSPACE_API_KEY": SECOND_KEY, "DEEPSPACE_BASE_URL": comfy.sandbox.url}
    profiles: Any = {"studio": own_key}
    with comfy.settings(profiles=profiles):
        comfy.run(graph(prompt, profile="studio"))
    (free,) = ask(comfyui, f"/tasks?text={prompt.replace(' ', '%20')}").json()["tasks"]
    (paid,) = tasks(comfy, prompt)
    assert (free["is_free"], paid["is_free"]) == (True, False)
    # A sandbox that runs apart has the sandbox's key and a local address.
    comfy.run(graph(prompt, seed=5))
    assert [task["is_free"] for task in tasks(comfy, prompt)] == [True, False]


def test_task_is_listed_with_what_it_cost_and_its_images(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run(graph(prompt, seed=1))
    comfy.run(graph(prompt, seed=2))
    newest, older = tasks(comfy, prompt)
    assert newest["id"] > older["id"]
    assert tasks(comfy, prompt, limit=1) == [newest]
    assert tasks(comfy, prompt, limit=1, offset=1) == [older]
    assert tasks(comfy, prompt, state="unknown") == []
    assert newest["state"] == "completed" and newest["charge"] == "made"
    assert newest["prompt"] == prompt and newest["made"] == 1 and newest["error"] is None
    path = f"/tasks/{newest['id']}/images/{newest['stored'][0]}"
    image, small = ask(comfy.server, path), ask(comfy.server, f"{path}?thumbnail=1")
    assert image.body[:3] == b"\xff\xd8\xff" and small.body[:3] == b"\xff\xd8\xff"
    assert len(small.body) < len(image.body) and len(small.body) < 50_000
    whole = ask(comfy.server, f"/tasks/{newest['id']}").json()
    assert "urls" not in whole and whole["fields"]["quality"] == "1K"


def test_unknown_outcome_has_hint_in_both_languages(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import DropAfterReceipt

    comfy.sandbox.faults.push("generate", DropAfterReceipt())
    comfy.fail(graph(prompt))
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["charge"]) == ("unknown", "possible")
    assert "will not be sent again" in task["error"]["en"]["advice"]
    assert "不会再次发送" in task["error"]["zh"]["advice"]


def test_forgetting_lets_the_same_inputs_be_paid_for_again(
    comfy: ComfyFixture, prompt: str
) -> None:
    comfy.run(graph(prompt))
    (task,) = tasks(comfy, prompt)
    forgotten = ask(comfy.server, f"/tasks/{task['id']}/forget", {})
    assert forgotten.json()["state"] == "forgotten"
    assert tasks(comfy, prompt) == []
    comfy.run({"80": workflows.text(prompt, "again"), **graph(["80", 0])})  # type: ignore[arg-type]
    assert len(comfy.posts(prompt)) == 2
    assert refusal(ask(comfy.server, "/tasks/999999/forget", {}))[0] == 404


def test_running_task_cannot_be_forgotten_and_ends_whole(comfy: ComfyFixture, prompt: str) -> None:
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph(prompt), prompt)
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["is_live"]) == ("sending", True)
    assert refusal(ask(comfy.server, f"/tasks/{task['id']}/forget", {}))[0] == 409
    comfy.sandbox.release()
    assert comfy.server.wait(prompt_id).status == "success"
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["is_live"], task["progress"]) == ("completed", False, None)


def test_every_change_of_a_task_reaches_the_browser_by_websocket(
    comfy: ComfyFixture, prompt: str
) -> None:
    outcome = comfy.run(graph(prompt))
    comfy.until(lambda: "completed" in sent_states(comfy, prompt))
    states = sent_states(comfy, prompt)
    assert states[-1] == "completed" and len(states) < 60
    assert outcome.status == "success"
