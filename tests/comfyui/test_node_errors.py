"""What a person reads on a node that failed: what happened, the money, what to do.

In English and Chinese. No image ever replaces a missing result: ``ComfyFixture.fail`` looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.comfy_server import ComfyServer

MAKERS = [workflows.evolink, workflows.preferential]


def graph_of(node: dict[str, Any]) -> dict[str, Any]:
    return {"1": node, "2": workflows.save("1"), "3": workflows.look("1", 1)}


def check_both_languages(message: str) -> None:
    english, chinese = (re.search(pattern, message) for pattern in ("charged|paid", "[付扣]|费用"))
    assert english and chinese


@pytest.mark.parametrize("make", MAKERS)
def test_key_that_is_not_accepted(comfy: ComfyFixture, prompt: str, make: Any) -> None:
    comfy.accounts.clear()
    message = comfy.fail(graph_of(make(prompt)))
    assert "does not accept the key (HTTP 401" in message and "服务不接受此密钥" in message
    assert "Nothing was charged." in message and "未产生费用" in message
    assert "Invalid token" in message, "the service's own words"


@pytest.mark.parametrize("balance", ["empty_403", "empty_402"])
def test_empty_account(comfy: ComfyFixture, prompt: str, balance: Any) -> None:
    from seedream_api.sandbox import SANDBOX_KEY, Account

    comfy.accounts[SANDBOX_KEY] = Account(balance)
    message = comfy.fail(graph_of(workflows.evolink(prompt)))
    assert "balance is too low" in message and "余额不足" in message
    assert "Nothing was charged." in message


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (workflows.preferential, "[moderated]"),
        (workflows.evolink, "[moderated]"),
        (workflows.preferential, "[blocked]"),
        (workflows.evolink, "[blocked]"),
    ],
)
def test_moderation(comfy: ComfyFixture, prompt: str, make: Any, word: str) -> None:
    message = comfy.fail(graph_of(make(f"{prompt} {word}")))
    assert "oderation" in message and "内容审核" in message
    assert "Nothing was charged." in message and "未产生费用" in message


@pytest.mark.parametrize("make", MAKERS)
def test_outcome_that_is_unknown_is_not_tried_again(
    comfy: ComfyFixture, prompt: str, make: Any
) -> None:
    from support.fake_service import DropAfterReceipt

    comfy.sandbox.faults.push("generate", DropAfterReceipt())
    first = comfy.fail(graph_of(make(prompt)))
    assert "its outcome is unknown" in first and "结果未知" in first
    assert "may have been charged" in first and "可能已经扣费" in first
    assert "tasks --forget" in first
    again = comfy.fail(graph_of(make(prompt)))
    assert "its outcome is unknown" in again
    assert len(comfy.posts(prompt)) == 1


def test_task_that_fails_gives_the_services_reason(comfy: ComfyFixture, prompt: str) -> None:
    message = comfy.fail(graph_of(workflows.evolink(f"{prompt} [fails]")))
    assert "failed at the service: " in message
    assert "The model failed to generate the image" in message and "在服务端失败" in message


def test_task_without_images_fails_the_node(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import EmptyCompleted

    comfy.sandbox.faults.push("generate", EmptyCompleted())
    message = comfy.fail(graph_of(workflows.evolink(prompt)))
    assert "contains no readable image" in message and "无法从其响应中读出图片" in message
    check_both_languages(message)


def test_images_that_cannot_be_fetched_fail_the_node(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import ExpiredLink

    comfy.sandbox.faults.push("image", ExpiredLink(410), times=4)
    message = comfy.fail(graph_of(workflows.evolink(prompt)))
    check_both_languages(message)
    assert "paid" in message
    comfy.sandbox.faults.clear()
    comfy.run(graph_of(workflows.evolink(prompt)))
    assert len(comfy.posts(prompt)) == 1


@pytest.mark.parametrize("make", MAKERS)
def test_empty_prompt(comfy: ComfyFixture, make: Any) -> None:
    asked = len(comfy.sandbox.requests)
    message = comfy.fail(graph_of(make("  \n")))
    assert "prompt is empty" in message and "为空" in message
    assert len(comfy.sandbox.requests) == asked


def test_setting_that_cannot_work(comfy: ComfyFixture, prompt: str) -> None:
    """A setting that cannot work is shown on the node too, with its name."""
    with comfy.settings(SEEDREAM_MAX_SUBMITS="none"):
        message = comfy.fail(graph_of(workflows.evolink(prompt)))
    assert "SEEDREAM_MAX_SUBMITS" in message and "设置项" in message
    assert comfy.posts(prompt) == []


def test_without_a_key_the_node_names_the_three_ways(
    boot_comfyui: Callable[..., ComfyServer], tmp_path: Path
) -> None:
    server = boot_comfyui()
    graph = {"1": workflows.evolink("a cat"), "2": workflows.save("1")}
    outcome = server.run(graph)
    message = outcome.error["exception_message"]
    for way in ("DEEPSPACE_API_KEY", "settings.json", "DEEPSPACE_BASE_URL=sandbox"):
        assert message.count(way) == 2, "once in each language"
    assert "尚未设置 API 密钥" in message and "Nothing was charged." in message
    # Its things are in ComfyUI's protected folder, which no other user can open or request.
    home = server.base / "user" / "__seedream"
    assert str(home / "settings.json") in message
    if home.exists():
        assert home.stat().st_mode & 0o077 == 0
    assert server.request("GET", "/userdata?dir=../__seedream").status >= 400
    server.stop()
