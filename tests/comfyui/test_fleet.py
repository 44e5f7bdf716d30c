"""The fleet page's example: two real servers, each with its own home, one bucket, one queue."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from support.comfy_fixture import TASK_SECONDS, Clock, ComfyFixture
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

if TYPE_CHECKING:
    from support.fake_service import FakeService

EXAMPLE = PACK_ROOT / "docs" / "examples" / "fleet.py"
JOBS = [f"fleet job {number}!" for number in range(6)]
TASK_ID_SHOWN = "3"
"""The node of the submitting workflow that shows the task's id."""


def load(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class World:
    servers: list[ComfyServer]
    sandbox: FakeService
    clock: Clock
    bucket: Any
    example: Any

    @property
    def fleet(self) -> Any:
        # Made again for each use: a restarted server has another port, in the same place.
        return self.example.Fleet([server.url for server in self.servers], poll_s=0.05)

    def server_of(self, job: str) -> ComfyServer:
        return next(one for one in self.servers if one.url == self.fleet.server_of(job))

    def other_than(self, server: ComfyServer) -> ComfyServer:
        return next(one for one in self.servers if one is not server)

    def looks(self) -> int:
        """How often the service was asked for any task."""
        paths = [request.path for request in self.sandbox.requests]
        return sum(path.startswith("/v1/images/Seedream/") for path in paths)

    def posts(self, prompt: str = "fleet") -> list[Any]:
        return [post for post in self.sandbox.posts if prompt in str((post.json or {})["prompt"])]


def example_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def world(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    from support import s3_server as s3
    from support.fake_service import SANDBOX_KEY, FakeService

    base, clock = tmp_path_factory.mktemp("fleet"), Clock()
    credentials = {"AWS_ACCESS_KEY_ID": s3.KEY_ID, "AWS_SECRET_ACCESS_KEY": s3.SECRET}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in credentials.items():
            patch.setenv(name, value)
        bucket = s3.S3Server()
        import boto3

        client = boto3.client("s3", endpoint_url=bucket.url, region_name="us-east-1")
        client.create_bucket(Bucket="fleet")
        client.close()
        sandbox = FakeService(base / "service", task_seconds=TASK_SECONDS, now=clock)
        with sandbox:
            servers: list[ComfyServer] = []
            for number in (1, 2):
                server = boot_comfyui(
                    environment={
                        **credentials,
                        "DEEPSPACE_BASE_URL": sandbox.url,
                        "DEEPSPACE_API_KEY": SANDBOX_KEY,
                        "SEEDREAM_HOME": str(base / f"home{number}"),
                        "SEEDREAM_UPLOAD": "s3",
                        "SEEDREAM_UPLOAD_S3_ENDPOINT": bucket.url,
                        "SEEDREAM_UPLOAD_S3_BUCKET": "fleet",
                    }
                )
                server.place_input("example.png", example_picture())
                servers.append(server)
            yield World(servers, sandbox, clock, bucket, load("fleet_example", EXAMPLE))
            for server in servers:
                server.stop()
        bucket.stop()


def test_fleet_jobs_are_charged_once_and_retries_free(world: World) -> None:
    jobs = {job: world.example.picture(job) for job in JOBS}
    assert {world.fleet.server_of(job) for job in JOBS} == {one.url for one in world.servers}
    first = world.fleet.run_all(jobs)
    assert all(result["3"]["images"] for result in first.values())
    assert len(world.posts()) == len(JOBS)
    again = world.fleet.run_all(jobs)
    assert all(result["3"]["images"] for result in again.values())
    assert len(world.posts()) == len(JOBS), "a retry lands on the same home: 0 new requests"


def test_fleet_uploads_each_reference_once_per_home(
    world: World,
) -> None:
    for job in JOBS:
        world.fleet.run(job, world.example.picture(job))
    urls = {url for post in world.posts() for url in post.json["image_urls"]}
    assert urls and all(url.startswith(f"{world.bucket.url}/fleet/seedream/") for url in urls)
    puts = [path.partition("?")[0] for path in world.bucket.of("PUT") if "seedream/" in path]
    assert len(puts) <= len(world.servers) and len(set(puts)) == 1


def test_job_of_a_killed_server_continues_after_restart(world: World) -> None:
    job = "fleet job that is killed!"
    server = world.server_of(job)
    world.clock.run(Clock.STOPPED)
    looks = world.looks()
    server.queue(world.example.picture(job))
    # Killed while it sends, the outcome would be unknown; by its first look the id is written down.
    ComfyFixture.until(lambda: world.posts(job) and world.looks() > looks)
    server.kill()
    server.start()
    world.clock.run(Clock.FLYING)
    # As the queue does after a restart: the same workflow at the same home.
    result = world.fleet.run(job, world.example.picture(job), server=server.url)
    assert result["3"]["images"] and len(world.posts(job)) == 1


def test_task_is_collected_at_another_server_by_its_id(world: World) -> None:
    job = "fleet job to collect elsewhere!"
    submitted = world.fleet.run(job, world.example.submit(job))
    (task_id,) = submitted[TASK_ID_SHOWN]["text"]
    other = world.other_than(world.server_of(job))
    collected = world.fleet.run(job, world.example.collect(task_id), server=other.url)
    assert collected["2"]["images"] and len(world.posts(job)) == 1


def test_promise_ends_at_the_home(world: World) -> None:
    """Why the queue must not move a paid job: the other home knows nothing of it."""
    job = "fleet job that is moved!"
    world.fleet.run(job, world.example.picture(job))
    other = world.other_than(world.server_of(job))
    world.fleet.run(job, world.example.picture(job), server=other.url)
    assert len(world.posts(job)) == 2


def test_failing_job_is_reported_and_the_others_continue(world: World) -> None:
    bad = {
        **world.example.picture("fleet job, whole!"),
        "9": {"class_type": "Nothing", "inputs": {}},
    }
    empty = world.example.picture("")
    results = world.fleet.run_all({"a": empty, "b": bad, "c": world.example.picture("fleet c!")})
    assert isinstance(results["a"], world.example.Failed)
    assert "prompt is empty" in str(results["a"]) and "为空" in str(results["a"])
    assert isinstance(results["b"], world.example.Failed)
    assert results["c"]["3"]["images"]


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_page_names_what_the_example_has(language: str) -> None:
    page = (PACK_ROOT / "docs" / f"fleet{language}.md").read_text("utf-8")
    for name in ("fleet.py", "fleet_picture.json", "fleet_submit.json", "fleet_collect.json"):
        assert f"examples/{name}" in page and (EXAMPLE.parent / name).is_file()
    for setting in ("DEEPSPACE_API_KEY", "SEEDREAM_HOME", "SEEDREAM_UPLOAD_S3_BUCKET"):
        assert setting in page
