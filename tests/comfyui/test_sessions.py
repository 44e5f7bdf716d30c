"""What a change of the settings leaves open: nothing, once nobody needs it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, Studio, open_studio, seen
from support.pack_routes import ask, sent_states


@pytest.fixture(scope="module")
def own_studio(
    boot_comfyui: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    with open_studio(tmp_path_factory.mktemp("sessions"), boot_comfyui) as studio:
        yield studio


@pytest.fixture
def studio(own_studio: Studio) -> Iterator[Studio]:
    """A server of this file alone, on which no work of other tests goes on."""
    own_studio.reset()
    yield own_studio
    own_studio.reset()


def graph_of(wish: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(wish, **inputs), "2": workflows.look("1")}


def open_records(studio: Studio) -> int:
    """How often the server has the record open: each time by a lock of its own."""
    return len(list((studio.home / "owners").glob("*.lock")))


def is_down_to(studio: Studio, count: int) -> Callable[[], bool]:
    """Whoever asks for anything makes the pack look at what is still needed."""

    def look() -> bool:
        assert ask(studio.server, "/tasks").status == 200
        return open_records(studio) == count

    return look


def test_what_ran_under_earlier_settings_is_closed(studio: Studio, wish: str) -> None:
    studio.run(graph_of(wish, seed=0))
    for seed in range(1, 6):
        with studio.settings(SEEDREAM_MAX_SUBMITS=str(seed)):
            studio.run(graph_of(wish, seed=seed))
            studio.until(is_down_to(studio, 1))
    # The first settings once more: all that was made is still known.
    for seed in range(6):
        assert seen(studio.run(graph_of(wish, seed=seed)), "2")
    assert len(studio.posts(wish)) == 6
    studio.until(is_down_to(studio, 1))


def test_what_is_being_answered_keeps_its_session_until_it_is_written_down(
    studio: Studio, wish: str
) -> None:
    studio.sandbox.hold()
    prompt_id = studio.queue_and_wait_for_post(graph_of(wish), wish)
    studio.server.interrupt(prompt_id)
    assert studio.server.wait(prompt_id, timeout=15).status == "interrupted"
    with studio.settings(SEEDREAM_MAX_SUBMITS="2"):
        for _ in range(3):
            assert ask(studio.server, "/tasks").status == 200
        assert open_records(studio) == 2
        studio.sandbox.release()
        studio.until(is_down_to(studio, 1))
        assert seen(studio.run(graph_of(wish)), "2")
    assert len(studio.posts(wish)) == 1


def test_a_node_that_runs_keeps_its_session(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.queue_and_wait_for_post(graph_of(wish), wish)
    with studio.settings(SEEDREAM_MAX_SUBMITS="2"):
        for _ in range(3):
            assert ask(studio.server, "/tasks").status == 200
        assert open_records(studio) == 2
        studio.clock.run(Clock.FLYING)
        outcome = studio.server.wait(prompt_id)
        assert outcome.status == "success" and seen(outcome, "2")
        studio.until(is_down_to(studio, 1))
    assert len(studio.posts(wish)) == 1
    # It is closed only when browsers have been told to the end.
    studio.until(lambda: sent_states(studio, wish)[-1] == "completed")


def test_the_built_in_sandbox_keeps_one_session(
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

    Studio.until(is_one)
    server.stop()


def test_links_of_the_built_in_sandbox_live_on(
    boot_comfyui: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, wish: str
) -> None:
    home = tmp_path_factory.mktemp("built_in")
    server = boot_comfyui(environment={"SEEDREAM_HOME": str(home)})
    assert ask(server, "/settings", {"DEEPSPACE_BASE_URL": "sandbox"}).status == 200
    graph: dict[str, Any] = {
        "8": workflows.colour(1, 2, 3),
        "9": {"class_type": "SeedreamUploadReferences", "inputs": {"images.image_1": ["8", 0]}},
        "1": workflows.evolink(wish, image_urls=["9", 0]),
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
