"""What a change of the settings leaves open: nothing that is no longer needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture, open_comfy, seen
from support.pack_routes import ask, sent_states


@pytest.fixture(scope="module")
def own_comfy(
    boot_comfyui: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    with open_comfy(tmp_path_factory.mktemp("sessions"), boot_comfyui) as comfy:
        yield comfy


@pytest.fixture
def comfy(own_comfy: ComfyFixture) -> Iterator[ComfyFixture]:
    """A server of this file alone, on which no job of another test runs."""
    own_comfy.reset()
    yield own_comfy
    own_comfy.reset()


def graph_of(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(prompt, **inputs), "2": workflows.look("1")}


def open_records(comfy: ComfyFixture) -> int:
    """How often the server has the record open: each time with another lock."""
    return len(list((comfy.home / "owners").glob("*.lock")))


def is_down_to(comfy: ComfyFixture, count: int) -> Callable[[], bool]:
    """Any request makes the pack check what is still needed."""

    def look() -> bool:
        assert ask(comfy.server, "/tasks").status == 200
        return open_records(comfy) == count

    return look


def test_what_ran_under_earlier_settings_is_closed(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run(graph_of(prompt, seed=0))
    for seed in range(1, 6):
        with comfy.settings(SEEDREAM_MAX_SUBMITS=str(seed)):
            comfy.run(graph_of(prompt, seed=seed))
            comfy.until(is_down_to(comfy, 1))
    # The first settings once more: all that was made is still known.
    for seed in range(6):
        assert seen(comfy.run(graph_of(prompt, seed=seed)), "2")
    assert len(comfy.posts(prompt)) == 6
    comfy.until(is_down_to(comfy, 1))


def test_session_stays_until_response_is_recorded(comfy: ComfyFixture, prompt: str) -> None:
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph_of(prompt), prompt)
    comfy.server.interrupt(prompt_id)
    assert comfy.server.wait(prompt_id, timeout=15).status == "interrupted"
    with comfy.settings(SEEDREAM_MAX_SUBMITS="2"):
        for _ in range(3):
            assert ask(comfy.server, "/tasks").status == 200
        assert open_records(comfy) == 2
        comfy.sandbox.release()
        comfy.until(is_down_to(comfy, 1))
        assert seen(comfy.run(graph_of(prompt)), "2")
    assert len(comfy.posts(prompt)) == 1


def test_node_that_runs_keeps_its_session(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.queue_and_wait_for_post(graph_of(prompt), prompt)
    with comfy.settings(SEEDREAM_MAX_SUBMITS="2"):
        for _ in range(3):
            assert ask(comfy.server, "/tasks").status == 200
        assert open_records(comfy) == 2
        comfy.clock.run(Clock.FLYING)
        outcome = comfy.server.wait(prompt_id)
        assert outcome.status == "success" and seen(outcome, "2")
        comfy.until(is_down_to(comfy, 1))
    assert len(comfy.posts(prompt)) == 1
    # It is closed only after the last event was sent to the browsers.
    comfy.until(lambda: sent_states(comfy, prompt)[-1] == "completed")


def test_built_in_sandbox_keeps_one_session(
    boot_comfyui: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("one_session")
    environment = {"SEEDREAM_HOME": str(home), "DEEPSPACE_BASE_URL": "sandbox"}
    server = boot_comfyui(environment=environment)
    for size in range(1, 21):
        assert ask(server, "/settings", {"SEEDREAM_STORE_GB": size}).status == 200
        assert ask(server, "/tasks").status == 200

    def is_one() -> bool:
        assert ask(server, "/tasks").status == 200
        return len(list((home / "owners").glob("*.lock"))) == 1

    ComfyFixture.until(is_one)
    server.stop()


def test_links_of_the_built_in_sandbox_live_on(
    boot_comfyui: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, prompt: str
) -> None:
    home = tmp_path_factory.mktemp("built_in")
    server = boot_comfyui(environment={"SEEDREAM_HOME": str(home)})
    assert ask(server, "/settings", {"DEEPSPACE_BASE_URL": "sandbox"}).status == 200
    graph: dict[str, Any] = {
        "8": workflows.colour(1, 2, 3),
        "9": {"class_type": "SeedreamUploadReferences", "inputs": {"images.image_1": ["8", 0]}},
        "1": workflows.evolink(prompt, image_urls=["9", 0]),
        "2": workflows.save("1"),
    }
    assert server.run(graph).status == "success"
    assert ask(server, "/settings", {"SEEDREAM_STORE_GB": 3}).status == 200
    # The address of the uploaded picture comes from ComfyUI's cache: that of the sandbox before.
    graph["1"]["inputs"]["seed"] = 2
    again = server.run(graph)
    assert again.status == "success", again.error.get("exception_message")
    assert "9" not in again.executed
    server.stop()
