"""The key of a real server is in nothing that anybody can read, and goes to no other host.

It has no shape that a pattern could know, and the service itself repeats it wherever it can.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from support import workflows
from support.canary import UNSHAPED_KEY as KEY
from support.comfy_events import Outcome
from support.comfy_fixture import Clock, ComfyFixture, seen
from support.comfy_launch import PACK_FOLDER
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

READABLE = (
    "/history", "/queue", "/object_info", "/settings", "/system_stats", "/users",
    "/internal/logs", "/internal/logs/raw", "/userdata?dir=&recurse=true",
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    from support.fake_service import Account, FakeService

    folder, clock, accounts = tmp_path_factory.mktemp("secrets"), Clock(), {KEY: Account()}
    options: dict[str, Any] = {"preferential_seconds": 0, "task_seconds": 2, "now": clock}
    with FakeService(folder / "service", keys=accounts, **options) as sandbox:
        server = boot_comfyui(
            environment={
                "DEEPSPACE_BASE_URL": sandbox.url,
                "DEEPSPACE_API_KEY": KEY,
                "SEEDREAM_HOME": str(folder / "home"),
            },
            packs={
                PACK_FOLDER: PACK_ROOT,
                workflows.TOOLS: workflows.write_tools(folder / "tools"),
            },
            arguments=["--verbose", "DEBUG"],
        )
        yield ComfyFixture(server, sandbox, clock, accounts, folder / "home")
        server.stop()


@pytest.fixture
def vault(shared: ComfyFixture) -> ComfyFixture:
    shared.sandbox.faults.clear()
    return shared


def check_secret(vault: ComfyFixture, outcome: Outcome) -> None:
    """The key is in no message, route, log line or file; and it was used."""
    carried = [request.headers.get("authorization") for request in vault.sandbox.requests]
    assert f"Bearer {KEY}" in carried, "the key was not even used: this proves nothing"
    assert KEY not in repr(outcome.events) and KEY not in repr(outcome.outputs)
    for path in (*READABLE, f"/history/{outcome.prompt_id}"):
        assert KEY.encode() not in vault.server.request("GET", path).body, path
    assert KEY not in vault.server.log
    for folder in (vault.server.base, vault.home):
        for file in folder.rglob("*"):
            if file.is_file() and "custom_nodes" not in file.parts:
                assert KEY.encode() not in file.read_bytes(), file


def generators(prompt: str) -> dict[str, Any]:
    return {
        "1": workflows.evolink(f"{prompt} later"),
        "2": workflows.preferential(f"{prompt} at once", **{"images.image_1": ["9", 0]}),
        "3": workflows.save("1"),
        "4": workflows.save("2"),
        "5": workflows.show("1", 4),
        "6": workflows.look("1"),
        "9": workflows.colour(9, 9, 9),
    }


def test_run_that_succeeds_leaves_the_key_nowhere(vault: ComfyFixture, prompt: str) -> None:
    workflow = {"nodes": [{"type": "SeedreamEvolink", "widgets_values": [prompt]}]}
    extra = {"extra_pnginfo": {"workflow": workflow}}
    prompt_id = vault.server.queue(generators(prompt), extra)
    outcome = vault.server.wait(prompt_id)
    assert outcome.status == "success" and seen(outcome, "6")
    for node in ("3", "4"):
        (saved,) = outcome.outputs[node]["images"]
        image = Image.open(io.BytesIO(vault.server.view(**saved)))
        assert json.loads(image.info["workflow"]) == workflow, "no metadata: this proves nothing"
        assert prompt in image.info["prompt"] and KEY not in repr(image.info)
    check_secret(vault, outcome)


def faults() -> dict[str, tuple[str, Any]]:
    from support.fake_service import Json, Status, WrongType

    error = {"error": {"message": f"bad {KEY}", "type": KEY, "code": KEY, "param": KEY}}
    return {
        "401": ("generate", Status(401, error)),
        "400": ("generate", Status(400, error)),
        "500": ("generate", Status(500, error)),
        "page": ("generate", Status(502, f"<html>{KEY}</html>")),
        "200": ("generate", Json(error)),
        "item": ("generate", Json({"data": [error]})),
        "no JSON": ("generate", WrongType(body=KEY.encode())),
        "failed": ("task", Json({"status": "failed", **error})),
        "reason": ("task", Json({"status": "FAILURE", "fail_reason": f"no {KEY}"})),
        "hole": ("task", Json({"status": "completed", "output": {"data": [error]}})),
    }


@pytest.mark.parametrize(
    "case",
    ["401", "400", "500", "page", "200", "item", "no JSON", "failed", "reason", "hole"],
)
def test_service_that_repeats_the_key_spreads_it_no_further(
    vault: ComfyFixture, prompt: str, case: str
) -> None:
    route, fault = faults()[case]
    vault.sandbox.faults.push(route, fault)
    outcome = vault.server.run({"1": workflows.evolink(prompt), "2": workflows.look("1")})
    assert outcome.status == "error"
    assert outcome.error["exception_message"] and outcome.error["traceback"]
    check_secret(vault, outcome)


@pytest.mark.parametrize("route", ["generate", "task", "image"])
@pytest.mark.parametrize("code", [302, 307])
def test_key_follows_no_redirect_to_another_host(
    vault: ComfyFixture, prompt: str, route: str, code: int, tmp_path: Any
) -> None:
    from support.fake_service import FakeService, RedirectTo

    with FakeService(tmp_path) as other:
        vault.sandbox.faults.push(route, RedirectTo(f"{other.url}/elsewhere", code))
        outcome = vault.server.run({"1": workflows.evolink(prompt), "2": workflows.look("1")})
        assert all("authorization" not in request.headers for request in other.requests)
        assert route == "image" or other.requests == []
        assert KEY not in repr(other.requests)
    check_secret(vault, outcome)
