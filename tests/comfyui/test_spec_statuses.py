"""The nodes against the second stand-in: every status word, every refusal, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support import spec_service, workflows
from support.comfy_fixture import seen
from support.spec_fixture import World, check_images, evolink_graph, preferential_graph
from support.spec_service import Job, Script, Told, complete, refusal

# ---- every status ----


def status(word: str, **more: Any) -> Callable[[Job], Told]:
    return lambda job: (200, {"id": job.id, "status": word, "created_at": job.created, **more})


WAITING = [
    status("queued"), status("pending"), status("processing", progress=50, started_at=1),
    status("processing", progress="50%"), status("NOT_START"), status("SUBMITTED"),
    status("QUEUED"), status("IN_PROGRESS", progress="30%"), status("UNKNOWN"),
    status("dreaming", progress=-7), status("", progress=0),
]  # fmt: skip


def test_status_of_a_running_task_is_polled_again(world: World) -> None:
    """Known words in any spelling, and unknown ones; all at once: a poll takes a second."""
    graph: dict[str, Any] = {}
    for number, waiting in enumerate(WAITING):
        prompt = f"waits {number}"
        world.service.scripts[prompt] = Script(looked=(waiting, complete))
        graph[str(number)] = workflows.evolink(prompt)
        graph[str(100 + number)] = workflows.look(str(number))
    outcome = world.run(graph)
    assert all(seen(outcome, str(100 + number)) for number in range(len(WAITING)))
    assert any("50 %" in text for text in outcome.texts("2")), outcome.texts("2")
    assert all(len(world.posts(f"waits {number}")) == 1 for number in range(len(WAITING)))


@pytest.mark.parametrize(
    "failed",
    [
        status("failed", error={"message": "the reason", "type": "server_error"}),
        status("failed", error={"code": "generation_failed_no_content", "message": "the reason"}),
        status("FAILURE", fail_reason="the reason"),
        status("failed", error="the reason"),
        status("cancelled", error={"code": "request_cancelled", "message": "the reason"}),
    ],
    ids=["main page", "evolink", "new-api", "plain", "cancelled"],
)
def test_every_status_that_ends_badly_gives_the_services_reason(
    world: World, request: pytest.FixtureRequest, failed: Callable[[Job], Told]
) -> None:
    prompt = f"ends badly {request.node.name}"
    world.service.scripts[prompt] = Script(looked=(failed,))
    message = world.fail(evolink_graph(prompt))
    assert "the reason" in message and "failed at the service" in message
    assert "Nothing was charged." in message and "未产生费用" in message
    world.service.scripts[prompt] = Script()
    world.run(evolink_graph(prompt))
    assert len(world.posts(prompt)) == 2, "a failed task is not paid for: a new one may be sent"


def test_completed_without_images_fails_and_is_not_resent(world: World) -> None:
    empty = status("completed", output={"data": []})
    world.service.scripts["completed without"] = Script(looked=(empty,))
    for _ in range(2):
        assert "contains no readable image" in world.fail(evolink_graph("completed without"))
    assert len(world.posts("completed without")) == 1


UNREADABLE: list[Any] = [None, {}, {"url": None}, {"url": "oss://bucket/x.png"}]


@pytest.mark.parametrize("entry", UNREADABLE, ids=["null", "empty", "null url", "oss"])
@pytest.mark.parametrize("make", [evolink_graph, preferential_graph])
def test_unreadable_entry_is_paid_for_once(world: World, make: Any, entry: Any) -> None:
    prompt = f"unreadable {entry} {make.__name__}"
    world.service.scripts[prompt] = Script(posted=lambda job: (200, {"data": [entry]}))
    for _ in range(3):
        message = world.fail(make(prompt))
        assert "It may have been charged." in message and "可能已经扣费" in message
    assert len(world.posts(prompt)) == 1


def test_blip_while_polling_loses_nothing(world: World) -> None:
    bad_gateway = lambda job: (502, b"<html>502 Bad Gateway</html>")  # noqa: E731
    world.service.scripts["a blip"] = Script(looked=(bad_gateway, complete))
    check_images(world.run(evolink_graph("a blip")), 1)
    assert len(world.posts("a blip")) == 1


# ---- every refusal, and what is none ----

ARK = "The parameter `size` specified in the request is not valid. Request id: 02176"
REFUSED: dict[str, Told] = {
    "400 of Ark": refusal(400, "InvalidParameter", ARK, ""),
    "400 moderation": refusal(400, "InputTextSensitiveContentDetected", "sensitive", ""),
    "401 of new-api": refusal(401, "", "Invalid token (request id: 2026)"),
    "402 of Evolink": refusal(402, 402, "Insufficient balance", "insufficient_quota_error"),
    "403 balance": refusal(403, "insufficient_user_quota", "用户额度不足"),
    "403 of the key": refusal(403, "pre_consume_token_quota_failed", "令牌额度不足"),
    "404 model": refusal(404, "ModelNotOpen", "not activated", ""),
    "413": refusal(413, "read_request_body_failed", "body too large"),
    "500 word filter": refusal(500, "sensitive_words_detected", "敏感词"),
    "200 with an error": (200, {"error": {"code": "OutputImageRiskDetection", "message": "no"}}),
    "200 without success": (200, {"success": False, "message": "无效的令牌"}),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("make", [evolink_graph, preferential_graph])
def test_every_refusal_gives_the_services_words_and_no_charge(
    world: World, make: Any, case: str
) -> None:
    told, prompt = REFUSED[case], f"refused {case} {make.__name__}"
    world.service.scripts[prompt] = Script(posted=lambda job: told)
    message = world.fail(make(prompt))
    words = told[1].get("error", told[1])["message"]
    assert words.partition(" (")[0].partition(" Request")[0] in message
    assert "Nothing was charged." in message and "未产生费用" in message
    world.service.scripts[prompt] = Script()
    world.run(make(prompt))
    assert len(world.posts(prompt)) == 2


UNKNOWN: dict[str, Told] = {
    "500": refusal(500, "do_request_failed", "do request failed"),
    "502": (502, b"<html>502 Bad Gateway</html>"),
    "504": (504, b"<html>504 Gateway Time-out</html>"),
    "524": (524, b"error code: 524"),
    "no JSON": (200, b"<html>Sign in</html>"),
    "nothing in it": (200, {}),
}


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.parametrize("make", [evolink_graph, preferential_graph])
def test_unknown_outcome_is_reported_and_never_resent(world: World, make: Any, case: str) -> None:
    prompt = f"open {case} {make.__name__}"
    world.service.scripts[prompt] = Script(posted=lambda job: UNKNOWN[case])
    for _ in range(2):
        message = world.fail(make(prompt))
        assert "outcome is unknown" in message and "may have been charged" in message
    assert len(world.posts(prompt)) == 1


def test_busy_responses_are_waited_out(world: World) -> None:
    busy = [
        refusal(429, "", "您已达到请求数限制：1分钟内最多请求10次"),
        refusal(503, "model_not_found", "No available channel for model Seedream-4.0"),
    ]
    left = list(busy)
    world.service.scripts["busy"] = Script(
        posted=lambda job: left.pop(0) if left else spec_service.accept(job)
    )
    check_images(world.run(evolink_graph("busy")), 1)
    assert len(world.posts("busy")) == 3


def test_task_that_the_service_does_not_know(world: World) -> None:
    graph = {"1": workflows.poll("task-nobody-made", wait=False), "2": workflows.look("1")}
    message = world.fail(graph)
    assert "task-nobody-made" in message and "Task not found or expired" in message
