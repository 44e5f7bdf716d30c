"""Give every test the packages without sys.path, no network but loopback, and no settings."""

from __future__ import annotations

import importlib
import importlib.util
import ipaddress
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import hypothesis
import pytest

from support import canary, stub_modules
from support.clean_environment import outside_settings
from support.paths import PACK_ROOT

if TYPE_CHECKING:
    from support.fake_service import FakeService
    from support.postgres_server import PostgresServer
    from support.redis_server import RedisServer


class PackFolderAsPlainDirectory:
    """Keep pytest from importing the pack's ``__init__.py``, which needs ComfyUI."""

    @staticmethod
    def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        return pytest.Dir.from_parent(parent, path=path) if path == PACK_ROOT else None


def pytest_configure(config: pytest.Config) -> None:
    if str(PACK_ROOT) in sys.path:
        raise pytest.UsageError(
            "call pytest, not python -m pytest: our nodes/ would hide ComfyUI's"
        )
    # A conftest's hook is not asked about folders above its own; a registered plugin is.
    config.pluginmanager.register(PackFolderAsPlainDirectory())
    config.pluginmanager.register(canary.WATCH)


# A busy machine is not a defect, so no case has a deadline.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


def load_package(name: str, folder: Path) -> ModuleType:
    """Load a package as ComfyUI does: without sys.path, where our nodes/ would hide ComfyUI's."""
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


load_package("seedream_api", PACK_ROOT / "seedream_api")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server."""
    from support.postgres_server import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """Start a Redis server."""
    from support.redis_server import RedisServer

    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def pack() -> ModuleType:
    """Load the whole pack as ComfyUI does.

    Its seedream_api is another copy: a test file uses either this fixture or
    ``import seedream_api``, or ``except`` stops matching.
    """
    comfyui = PACK_ROOT / ".dev" / "comfyui"
    if not (comfyui / "main.py").is_file():
        pytest.fail("no ComfyUI in .dev/comfyui; `python dev.py test` fetches one")
    stub_modules.install()
    sys.path.append(str(comfyui))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ComfyUI's own
        cli_args = importlib.import_module("comfy.cli_args")
        cli_args.args.cpu = True  # asked at import, on a machine that may have no accelerator
        # In main.py's order: "server" puts ComfyUI's comfy/ first on sys.path, utils.py and all.
        for module in ("utils.extra_config", "comfy_api.latest", "server"):
            importlib.import_module(module)
    return load_package(str(PACK_ROOT).replace(".", "_x_"), PACK_ROOT)


# ---- nothing from outside ----


class OutsideNetwork(Exception):
    """A test tried to reach something that is not on this machine. No OSError: the code under
    test must not take it for one of the failures that it handles."""


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    # For the whole session, since a server of a session fixture inherits the environment too.
    with pytest.MonkeyPatch.context() as patch:
        for name in outside_settings():
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set SEEDREAM_HOME to a data folder of this test, created by the first write."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SEEDREAM_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def check(self: socket.socket, address: Any) -> None:
        if not isinstance(address, tuple):  # no internet address but a path, say
            return
        host = str(cast("tuple[object, ...]", address)[0])
        if not is_loopback(host):
            self.close()  # who expects OSErrors alone would leave it open
            raise OutsideNetwork(host)

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        # A literal address is only parsed, without a query.
        if name is not None and not is_loopback(name) and not is_address(name):
            raise OutsideNetwork(name)
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


# ---- the sandbox ----


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[FakeService]:
    """A started sandbox whose tasks finish at once."""
    from support.fake_service import FakeService

    home = tmp_path / "sandbox_home"
    with FakeService(home=home, port=0, preferential_seconds=0, task_seconds=0) as started:
        yield started
    canary.WATCH.look_at_requests(started.requests)
