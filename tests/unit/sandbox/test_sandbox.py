"""The sandbox, and the controls that tests add to it, over real sockets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api.catalog import MODELS, PIXELS
from seedream_api.sandbox import Sandbox
from support.fake_service import (
    NO_BALANCE_402_KEY,
    NO_BALANCE_KEY,
    SANDBOX_KEY,
    Account,
)
from support.sandbox_calls import (
    GENERATE,
    LATER_40,
    NOW_5,
    START,
    Caller,
    Clock,
    data_uri,
    picture,
    size_of,
)

# ---- the documented shapes ----


def test_preferential_response_has_the_documented_shape(caller: Caller) -> None:
    response = caller.post(model=NOW_5, prompt="一只猫在草地上玩耍", size="2K", watermark=False)
    assert response.status == 200 and response.headers["content-type"] == "application/json"
    assert list(response.json) == ["data", "created", "model"]
    assert response.json["created"] == int(START) and response.json["model"] == NOW_5
    [item] = response.json["data"]
    assert list(item) == ["url"] and item["url"].startswith(f"{caller.sandbox.url}/results/")
    assert item["url"].endswith(".jpeg")
    image = caller.get(item["url"])
    assert image.headers["content-type"] == "image/jpeg"
    assert size_of(image.body) == PIXELS["2K"]["1:1"]


def test_task_passes_from_queued_to_completed(caller: Caller, clock: Clock) -> None:
    created = caller.post(prompt="4 images of a cat", size="16:9", quality="2K", n=4)
    at = int(START)
    assert created.json == {
        "id": created.json["id"], "object": "image.generation", "model": LATER_40, "created_at": at,
    }  # fmt: skip
    task_id = created.json["id"]
    assert re.fullmatch(r"task-[0-9a-z]{12}", task_id)
    path = f"/v1/images/Seedream/{task_id}"
    assert caller.get(path).json == {"id": task_id, "status": "queued", "created_at": at}
    seen: list[int] = []
    for seconds in (20, 60, 99.9):
        clock.at = START + seconds
        told = caller.get(path).json
        seen.append(told.pop("progress"))
        started = {"created_at": at, "started_at": at + 20}
        assert told == {"id": task_id, "status": "processing", **started}
    assert seen == sorted(seen) and seen[0] == 1 and seen[-1] <= 99
    clock.at = START + 100
    told = caller.get(path).json
    assert list(told) == ["id", "status", "output", "created_at", "completed_at"]
    assert told["status"] == "completed" and told["completed_at"] == at + 100
    assert [list(item) for item in told["output"]["data"]] == [["url"]] * 4
    assert size_of(caller.get(told["output"]["data"][3]["url"]).body) == PIXELS["2K"]["16:9"]


@pytest.mark.parametrize(
    ("prompt", "kind", "word"),
    [("a [fails] cat", "server_error", "failed"),
     ("a [moderated] cat", "upstream_error", "content_policy_violation")],
)  # fmt: skip
def test_failed_task_reports_its_error(caller: Caller, prompt: str, kind: str, word: str) -> None:
    path = caller.task(prompt=prompt)
    caller.sandbox.finish_tasks()
    told = caller.get(path).json
    assert list(told) == ["id", "status", "error", "created_at"]
    assert told["status"] == "failed" and list(told["error"]) == ["message", "type"]
    assert told["error"]["type"] == kind and word in told["error"]["message"]
    assert caller.sandbox.images_made == 0


def test_models_and_usage_have_new_api_shapes(caller: Caller) -> None:
    models = caller.get("/v1/models").json
    assert models["success"] is True and [entry["id"] for entry in models["data"]] == list(MODELS)
    for path in ("/api/usage/token", "/api/usage/token/"):
        usage = caller.get(path).json
        assert usage["code"] is True and usage["data"]["total_available"] > 0
    assert Caller(caller.sandbox, NO_BALANCE_KEY).get(path).json["data"]["total_available"] == 0


def test_shipped_sandbox_serves_both_families(tmp_path: Path) -> None:
    with Sandbox(tmp_path, preferential_seconds=0, task_seconds=0) as sandbox:
        shipped: Any = Caller(sandbox)  # type: ignore[arg-type]
        reference = shipped.upload(picture())
        created = shipped.post(prompt="2 images", n=2, image_urls=[reference])
        task = shipped.get(f"/v1/images/Seedream/{created.json['id']}").json
        assert task["status"] == "completed" and len(task["output"]["data"]) == 2
        immediate = shipped.post(model=NOW_5, image=[data_uri(picture())]).json["data"]
        for item in (*task["output"]["data"], *immediate):
            assert size_of(shipped.get(item["url"]).body) == PIXELS["2K"]["1:1"]
        failed = shipped.post(prompt="a [fails] cat").json["id"]
        assert shipped.get(f"/v1/images/Seedream/{failed}").json["status"] == "failed"
        assert shipped.post(prompt="a [blocked] cat").status == 500
        assert shipped.post(model=NOW_5, prompt="a [moderated] cat").status == 400
        assert shipped.get("/api/usage/token").json["data"]["total_used"] == 150_000


# ---- keys ----


@pytest.mark.parametrize("key", [None, "sk-wrong"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", GENERATE), ("GET", "/v1/images/Seedream/task-000000000000"), ("GET", "/v1/models"),
     ("GET", "/api/usage/token"), ("POST", "/sandbox/images")],
)  # fmt: skip
def test_unknown_key_gets_a_401(caller: Caller, key: str | None, method: str, path: str) -> None:
    response = Caller(caller.sandbox, key).ask(method, path)
    assert response.status == 401 and response.error["type"] == "new_api_error"
    assert list(response.error) == ["message", "type", "param", "code"]
    assert f"(request id: {response.headers['x-oneapi-request-id']})" in response.error["message"]


def test_empty_account_is_refused_uncharged(caller: Caller) -> None:
    relay = Caller(caller.sandbox, NO_BALANCE_KEY).post()
    assert (relay.status, relay.error["code"]) == (403, "insufficient_user_quota")
    evolink = Caller(caller.sandbox, NO_BALANCE_402_KEY).post()
    assert (evolink.status, evolink.error["code"]) == (402, 402)
    assert evolink.error["type"] == "insufficient_quota_error"
    assert caller.sandbox.images_made == 0


def test_task_of_another_key_is_not_found(make: Callable[..., Caller]) -> None:
    mine = make(keys={"sk-one": Account(), "sk-two": Account()})
    mine.key = "sk-one"
    path = mine.task()
    other = Caller(mine.sandbox, "sk-two").get(path)
    assert other.status == 404 and "Task not found or expired" in other.error["message"]
    assert mine.get(path).status == 200 and SANDBOX_KEY not in str(mine.sandbox.requests)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", GENERATE), ("GET", "/v1/images/seedream/task-000000000000"), ("GET", "/v1/tasks/x"),
     ("GET", "/v1/images/Seedream/"), ("POST", f"{GENERATE}/"), ("DELETE", "/v1/models")],
)  # fmt: skip
def test_unknown_path_gets_a_404(caller: Caller, method: str, path: str) -> None:
    response = caller.ask(method, path)
    assert response.status == 404 and response.error["type"] == "invalid_request_error"
    assert response.error["message"].startswith(f"Invalid URL ({method} {path})")


def test_unknown_task_gets_a_404(caller: Caller) -> None:
    for task_id in ("task-000000000000", "pic-000000000000", "..%2f..%2fsecret", "%ff"):
        response = caller.get(f"/v1/images/Seedream/{task_id}")
        assert response.status == 404 and "Task not found or expired" in response.error["message"]
    at_once = caller.post(model=NOW_5).json["data"][0]["url"]
    assert caller.get(f"/v1/images/Seedream/{at_once.split('/')[4]}").status == 404
