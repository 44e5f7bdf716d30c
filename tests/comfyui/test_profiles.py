"""Profiles in a real graph: each node is charged to its own key; an unknown name sends nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from support import workflows
from support.canary import SECOND_KEY, UNSHAPED_KEY
from support.comfy_fixture import ComfyFixture


def section(comfy: ComfyFixture, key: str) -> dict[str, str]:
    return {"DEEPSPACE_API_KEY": key, "DEEPSPACE_BASE_URL": comfy.sandbox.url}


def test_two_profiles_in_one_graph_pay_with_their_own_keys(comfy: ComfyFixture) -> None:
    from support.fake_service import Account

    prompt = "two profiles of one graph"
    keys = {"studio": SECOND_KEY, "client": UNSHAPED_KEY}
    comfy.accounts.update({key: Account() for key in keys.values()})
    profiles: Any = {name: section(comfy, key) for name, key in keys.items()}
    graph = {
        "1": workflows.evolink(prompt, profile="studio"),
        "2": workflows.preferential(prompt, profile="Client"),
        "3": workflows.save("1"),
        "4": workflows.save("2"),
    }
    with comfy.settings(profiles=profiles):
        outcome = comfy.run(graph)
    paid = Counter(request.headers["authorization"] for request in comfy.posts(prompt))
    assert paid == {f"Bearer {key}": 1 for key in keys.values()}
    history = comfy.server.request("GET", f"/history/{outcome.prompt_id}").body
    assert b"studio" in history
    for key in keys.values():
        assert key.encode() not in history and key not in comfy.server.log


def test_removed_profile_fails_before_anything_is_sent(comfy: ComfyFixture) -> None:
    prompt = "a profile that is gone"
    graph = {"1": workflows.evolink(prompt, profile="gone"), "2": workflows.save("1")}
    message = comfy.fail(graph)
    assert "There is no profile 'gone'" in message and "没有名为" in message
    assert comfy.posts(prompt) == []
