"""A host whose log streams are not UTF-8: failing nodes are reported, and the next prompt runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, Studio, open_studio, seen
from support.comfy_server import ComfyServer

LISTENED = ("--verbose", "DEBUG")


@pytest.fixture(scope="module", params=["cp1252", "ascii", "cp1252:strict"])
def narrow_studio(
    request: pytest.FixtureRequest,
    boot_comfyui: Callable[..., ComfyServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    streams = {"PYTHONIOENCODING": request.param, "PYTHONUTF8": "0"}

    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        arguments = LISTENED if "strict" in request.param else ()
        environment = {**environment, **streams}
        return boot_comfyui(environment=environment, packs=packs, arguments=arguments)

    with open_studio(tmp_path_factory.mktemp("narrow"), boot) as studio:
        yield studio


@pytest.fixture
def studio(narrow_studio: Studio) -> Iterator[Studio]:
    narrow_studio.reset()
    yield narrow_studio
    narrow_studio.reset()


def graph_of(wish: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(wish, **inputs), "2": workflows.look("1")}


def runs(studio: Studio, wish: str) -> None:
    assert seen(studio.run(graph_of(wish)), "2")


def test_a_failing_node_is_reported_and_the_next_runs(studio: Studio, wish: str) -> None:
    failing = {
        "refused by the service": graph_of(f"{wish} 春天 [moderated]"),
        "failed at the service": graph_of(f"{wish} [fails]"),
        "a wrong value": graph_of(wish, image_urls="文件"),
        "a wrong address": {
            "1": workflows.load_urls("http://127.0.0.1/图.png"),
            "2": workflows.look("1"),
        },
        "half a character": graph_of(f"{wish} \ud83d"),
        "a name that is unknown": {
            "9": workflows.colour(1, 2, 3),
            **graph_of(wish, **{"参考图_image_1": ["9", 0]}),
        },
    }
    for reason, graph in failing.items():
        message = studio.fail(graph)
        assert "charge" in message, reason
        assert "\\u" in message, f"{reason}: Chinese as escapes"
    runs(studio, wish)


def test_a_cancelled_node_is_reported_and_the_next_runs(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.queue_and_wait_for_post(graph_of(f"{wish} 取消"), wish)
    studio.server.interrupt(prompt_id)
    assert studio.server.wait(prompt_id, timeout=15).status == "interrupted"
    studio.clock.run(Clock.FLYING)
    runs(studio, f"{wish} next")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_with_wrong_settings_the_pack_loads_and_says_why(
    boot_comfyui: Callable[..., ComfyServer], tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "模型.json"
    file.write_text("{", "utf-8")
    streams = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    server = boot_comfyui(environment={**streams, "SEEDREAM_MODELS": str(file)})
    assert "SeedreamEvolink" in server.object_info()
    outcome = server.run({"1": workflows.evolink("a wish"), "2": workflows.save("1")})
    assert outcome.status == "error"
    assert "SEEDREAM_MODELS" in outcome.error["exception_message"]
    picture = {"1": workflows.colour(1, 2, 3), "2": workflows.save("1")}
    assert server.run(picture).status == "success"
    server.stop()
