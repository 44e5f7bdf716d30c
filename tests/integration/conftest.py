"""What the integration tests share: an API client of the sandbox with its own clock."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import canary
from support.api_client import ApiClient, Machine, until
from support.download_kit import fetch as fetch, serve as serve
from support.upload_kit import (
    evolink_files,
    host_settings,
)

if TYPE_CHECKING:
    from support.fake_service import FakeService
    from support.postgres_server import PostgresServer
    from support.s3_server import S3Server


@pytest.fixture(scope="session")
def certificates() -> ssl.SSLContext:
    from seedream_api.network.proxies import load_certificates

    return load_certificates({})


@pytest.fixture
def fast_sandbox(monkeypatch: pytest.MonkeyPatch, certificates: ssl.SSLContext) -> None:
    """Make the sandbox draw sixteen times smaller, and read certificates once.

    Each costs a tenth of a second, and neither is tested here.
    """
    from seedream_api.catalog import compute_pixels
    from seedream_api.network import pools
    from seedream_api.sandbox import results

    def shrink(tier: str, ratio: str) -> tuple[int, int]:
        width, height = compute_pixels(tier, ratio)
        return width // 16, height // 16

    monkeypatch.setattr(results, "compute_pixels", shrink)
    monkeypatch.setattr(pools, "load_certificates", lambda environ: certificates)


@pytest.fixture
def make_sandbox(tmp_path: Path, fast_sandbox: None) -> Iterator[Callable[..., FakeService]]:
    """Start sandboxes, each with its own data folder."""
    from support.fake_service import FakeService

    started: list[FakeService] = []

    def make(**options: Any) -> FakeService:
        home = tmp_path / f"sandbox_{len(started)}"
        given = {"preferential_seconds": 0, "task_seconds": 0, **options}
        started.append(FakeService(home, **given).start())
        return started[-1]

    yield make
    for one in started:
        one.release()
        one.stop()
        canary.WATCH.look_at_requests(one.requests)


@pytest.fixture
def make_api_client(home: Path) -> Callable[..., ApiClient]:
    """Make API clients of a sandbox; all share this test's data folder."""
    from seedream_api.sandbox import SANDBOX_KEY

    def make(sandbox: FakeService, key: str = SANDBOX_KEY, **environ: str) -> ApiClient:
        settings = {"DEEPSPACE_BASE_URL": sandbox.url, "DEEPSPACE_API_KEY": key}
        return ApiClient(sandbox, home, {"SEEDREAM_HOME": str(home), **settings, **environ})

    return make


@pytest.fixture
def api_client(
    make_sandbox: Callable[..., FakeService], make_api_client: Callable[..., ApiClient]
) -> ApiClient:
    """An API client of a sandbox whose tasks finish at once."""
    return make_api_client(make_sandbox())


@pytest.fixture
def machine(
    postgres: PostgresServer, make_sandbox: Callable[..., FakeService], tmp_path: Path
) -> Machine:
    """Make clients of one sandbox and one ledger, each with its own data folder."""
    from seedream_api.sandbox import SANDBOX_KEY

    sandbox, url = make_sandbox(), postgres.new_ledger()

    def make(name: str) -> ApiClient:
        home = tmp_path / name
        environ = {
            "SEEDREAM_HOME": str(home), "SEEDREAM_LEDGER": url,
            "DEEPSPACE_BASE_URL": sandbox.url, "DEEPSPACE_API_KEY": SANDBOX_KEY,
        }  # fmt: skip
        return ApiClient(sandbox, home, environ)

    return make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for files that a command writes, which does not exist yet."""
    return tmp_path / "out"


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    return until


@pytest.fixture(params=["sandbox", "evolink", "imgbb", "chevereto", "lsky"])
def way(request: Any, api_client: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of a way, and the sandbox's routes where its uploads and its fetches arrive."""
    name = request.param
    if name == "sandbox":
        return {"settings": {}, "name": name, "post": "/sandbox/images", "get": "reference",
                "route": "upload"}  # fmt: skip
    if name == "evolink":
        settings = evolink_files(api_client, monkeypatch)
        return {"settings": settings, "name": name, "post": "/files/upload", "get": "hosted",
                "route": "files"}  # fmt: skip
    return {"settings": host_settings(api_client, name), "name": "http", "post": f"/{name}/",
            "get": "hosted", "route": "host"}  # fmt: skip


@pytest.fixture(scope="module")
def started() -> Iterator[S3Server]:
    # Not every environment of the matrix has what the server needs.
    from support.s3_kit import make_bucket
    from support.s3_server import KEY_ID, SECRET, S3Server

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)  # moto asks boto3 for some
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        with S3Server() as server:
            make_bucket(server, "pics")
            yield server


@pytest.fixture
def server(started: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    from support.s3_server import KEY_ID, SECRET

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    started.requests.clear()
    started.failing.clear()
    started.refusal, started.delay_s = None, 0.0
    return started
