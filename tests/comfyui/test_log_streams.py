"""A host whose log streams are not UTF-8: failing nodes are reported, and the next prompt runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture, open_comfy, seen
from support.comfy_server import ComfyServer

LISTENED = ("--verbose", "DEBUG")


@pytest.fixture(scope="module", params=["cp1252", "ascii", "cp1252:strict"])
def narrow_comfy(
    request: pytest.FixtureRequest,
    boot_comfyui: Callable[..., ComfyServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ComfyFixture]:
    streams = {"PYTHONIOENCODING": request.param, "PYTHONUTF8": "0"}

    def boot(environment: dict[str, str], packs: dict[str, Path]) -> ComfyServer:
        arguments = LISTENED if "strict" in request.param else ()
        environment = {**environment, **streams}
        return boot_comfyui(environment=environment, packs=packs, arguments=arguments)

    with open_comfy(tmp_path_factory.mktemp("narrow"), boot) as comfy:
        yield comfy


@pytest.fixture
def comfy(narrow_comfy: ComfyFixture) -> Iterator[ComfyFixture]:
    narrow_comfy.reset()
    yield narrow_comfy
    narrow_comfy.reset()


def graph_of(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(prompt, **inputs), "2": workflows.look("1")}


def runs(comfy: ComfyFixture, prompt: str) -> None:
    assert seen(comfy.run(graph_of(prompt)), "2")


def test_failing_node_is_reported_and_the_next_runs(comfy: ComfyFixture, prompt: str) -> None:
    failing = {
        "refused by the service": graph_of(f"{prompt} 春天 [moderated]"),
        "failed at the service": graph_of(f"{prompt} [fails]"),
        "a wrong value": graph_of(prompt, image_urls="文件"),
        "a wrong address": {
            "1": workflows.load_urls("http://127.0.0.1/图.png"),
            "2": workflows.look("1"),
        },
        "half a character": graph_of(f"{prompt} \ud83d"),
        "a name that is unknown": {
            "9": workflows.colour(1, 2, 3),
            **graph_of(prompt, **{"参考图_image_1": ["9", 0]}),
        },
    }
    for reason, graph in failing.items():
        message = comfy.fail(graph)
        assert "charge" in message, reason
        assert "\\u" in message, f"{reason}: Chinese as escapes"
    runs(comfy, prompt)


def test_cancelled_node_is_reported_and_the_next_runs(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.queue_and_wait_for_post(graph_of(f"{prompt} 取消"), prompt)
    comfy.server.interrupt(prompt_id)
    assert comfy.server.wait(prompt_id, timeout=15).status == "interrupted"
    comfy.clock.run(Clock.FLYING)
    runs(comfy, f"{prompt} next")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_with_wrong_settings_the_pack_loads_and_says_why(
    boot_comfyui: Callable[..., ComfyServer], tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "模型.json"
    file.write_text("{", "utf-8")
    streams = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    server = boot_comfyui(environment={**streams, "SEEDREAM_MODELS": str(file)})
    assert "SeedreamEvolink" in server.object_info()
    outcome = server.run({"1": workflows.evolink("a prompt"), "2": workflows.save("1")})
    assert outcome.status == "error"
    assert "SEEDREAM_MODELS" in outcome.error["exception_message"]
    picture = {"1": workflows.colour(1, 2, 3), "2": workflows.save("1")}
    assert server.run(picture).status == "success"
    server.stop()
