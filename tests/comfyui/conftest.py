"""Real ComfyUI servers for the tests in this folder and in browser/. A missing one is a failure,
never a skip: a layer that silently does not run proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.comfy_fixture import ComfyFixture, open_comfy
from support.comfy_server import ComfyServer
from support.pack_routes import settings_file
from support.spec_fixture import World, open_world

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.comfyui)


@pytest.fixture(scope="session")
def boot_comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., ComfyServer]]:
    """``boot_comfyui(environment=..., packs=..., arguments=...)``: start another server.

    It ends with the session, or earlier by ``stop`` or ``kill``.
    """
    with ExitStack() as servers:

        def boot(**options: Any) -> ComfyServer:
            server = ComfyServer(tmp_path_factory.mktemp("comfyui"), **options)
            return servers.enter_context(server.start())

        yield boot


@pytest.fixture(scope="session")
def comfyui(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> ComfyServer:
    """The server with this pack that the tests share; it talks to the pack's own sandbox."""
    home = tmp_path_factory.mktemp("seedream_home")
    return boot_comfyui(environment={"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(home)})


@pytest.fixture(scope="session")
def shared_comfy(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    with open_comfy(tmp_path_factory.mktemp("comfy"), boot_comfyui) as comfy:
        yield comfy


@pytest.fixture
def comfy(shared_comfy: ComfyFixture) -> Iterator[ComfyFixture]:
    """The server that the tests share, with a sandbox whose requests and faults a test sees.

    What is stored outlives a test, so each test uses its own ``prompt``.
    """
    shared_comfy.reset()
    yield shared_comfy
    shared_comfy.reset()


@pytest.fixture(scope="session")
def plain(boot_comfyui: Callable[..., ComfyServer]) -> ComfyServer:
    """A server as a fresh install starts it: nothing is set, and all is kept in its own folder."""
    return boot_comfyui(environment={"SEEDREAM_MAX_SUBMITS": "2"})


@pytest.fixture
def fresh(plain: ComfyServer) -> Iterator[ComfyServer]:
    """The plain server, without a settings file before and after the test."""
    file = settings_file(plain)
    file.unlink(missing_ok=True)
    yield plain
    file.unlink(missing_ok=True)


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """A prompt that no other test uses, and whose words ask for one image."""
    return "draw " + re.sub(r"\W", "_", request.node.name) + "!"


@pytest.fixture(scope="session")
def shared_world(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("second"), boot_comfyui) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """The server that talks to the spec service; each test uses its own prompt."""
    shared_world.service.complaints.clear()
    return shared_world
