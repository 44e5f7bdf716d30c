"""The fleet recipe for ComfyUI: two real servers with one ledger and one bucket, behind Celery."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from support.celery_worker import Worker, open_client, wait_for
from support.comfy_fixture import TASK_SECONDS, Clock, ComfyFixture
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer

if TYPE_CHECKING:
    from support.fake_service import FakeService

WORKFLOW = PACK_ROOT / "examples" / "comfyui" / "workflow.json"
SAVED = "3"
"""The node of the workflow that saves the image."""


@dataclass
class World:
    servers: dict[str, ComfyServer]
    sandbox: FakeService
    clock: Clock
    bucket: Any
    client: Any

    def queue(self, prompt: str, **more_nodes: Any) -> Any:
        workflow = json.loads(WORKFLOW.read_text("utf-8"))
        workflow["2"]["inputs"]["prompt"] = prompt
        return self.client.send_task("run_workflow", args=[{**workflow, **more_nodes}])

    def run(self, *prompts: str) -> list[Any]:
        results = [self.queue(prompt) for prompt in prompts]
        wait_for(results)
        return [one.result for one in results]

    def polls(self) -> int:
        """Count the requests for any task."""
        paths = [request.path for request in self.sandbox.requests]
        return sum(path.startswith("/v1/images/Seedream/") for path in paths)

    def posts(self, prompt: str) -> list[Any]:
        return [post for post in self.sandbox.posts if prompt in str((post.json or {})["prompt"])]


def example_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def world(
    boot_comfyui: Callable[..., ComfyServer],
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
    redis: RedisServer,
) -> Iterator[World]:
    from support.fake_service import SANDBOX_KEY, FakeService
    from support.s3_kit import make_bucket
    from support.s3_server import KEY_ID, SECRET, S3Server

    base, clock, broker = tmp_path_factory.mktemp("fleet"), Clock(), redis.new_url()
    credentials = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        for name, value in credentials.items():
            patch.setenv(name, value)
        bucket = opened.enter_context(S3Server())
        make_bucket(bucket, "fleet")
        sandbox = FakeService(base / "service", task_seconds=TASK_SECONDS, now=clock)
        opened.enter_context(sandbox)
        shared = {
            **credentials,
            "DEEPSPACE_BASE_URL": sandbox.url,
            "DEEPSPACE_API_KEY": SANDBOX_KEY,
            "SEEDREAM_LEDGER": postgres.new_ledger(),
            "SEEDREAM_UPLOAD": "s3",
            "SEEDREAM_UPLOAD_S3_ENDPOINT": bucket.url,
            "SEEDREAM_UPLOAD_S3_BUCKET": "fleet",
            "SEEDREAM_STORE": "s3://fleet/images",
        }
        servers = boot_servers(boot_comfyui, base, shared)
        for server in servers.values():
            opened.callback(server.kill)
        environ = {
            **dict.fromkeys(credentials, ""),  # only the servers upload
            "COMFYUI_SERVERS": " ".join(servers), "BROKER_URL": broker, "RESULT_URL": broker,
        }  # fmt: skip
        worker = Worker(base / "worker", "celery_comfyui", environ).start()
        opened.callback(worker.kill)
        client = opened.enter_context(open_client(broker))
        yield World(servers, sandbox, clock, bucket, client)


def boot_servers(
    boot: Callable[..., ComfyServer], base: Path, shared: dict[str, str]
) -> dict[str, ComfyServer]:
    def boot_one(number: int) -> ComfyServer:
        server = boot(environment={**shared, "SEEDREAM_HOME": str(base / f"home{number}")})
        server.place_input("example.png", example_picture())
        return server

    with ThreadPoolExecutor(2) as pool:
        return {server.url: server for server in pool.map(boot_one, (1, 2))}


def test_fleet_charges_once_and_uploads_once_for_all_servers(world: World) -> None:
    prompts = [f"fleet job {number}!" for number in range(3)]
    made = world.run(prompts[0]) + world.run(*prompts[1:])
    assert all(one["outputs"][SAVED]["images"] for one in made)
    again = world.run(*prompts)
    assert all(one["outputs"][SAVED]["images"] for one in again)
    assert len(world.posts("fleet job")) == len(prompts), "any server repeats a request for free"
    puts = [path for path in world.bucket.of("PUT") if "seedream/" in path]
    assert len(puts) == 1, "the reference is uploaded once for all servers"


def test_panel_of_any_server_has_the_images_of_all(world: World) -> None:
    world.run("fleet panel one!", "fleet panel two!")
    for server in world.servers.values():
        tasks = server.request("GET", "/seedream/tasks?text=fleet+panel").json()["tasks"]
        assert [task["stored"] for task in tasks] == [[0], [0]]
        for task in tasks:
            shown = server.request("GET", f"/seedream/tasks/{task['id']}/images/0")
            assert shown.status == 200 and Image.open(io.BytesIO(shown.body)).width == 1024


def test_fleet_reports_a_failed_node_in_its_own_words(world: World) -> None:
    empty = world.queue("")
    invalid = world.queue("a job!", **{"9": {"class_type": "Nothing", "inputs": {}}})
    wait_for([empty, invalid])
    assert "prompt is empty" in str(empty.result) and "为空" in str(empty.result)
    assert isinstance(invalid.result, Exception) and "Nothing" in str(invalid.result)
    assert world.posts("a job!") == []


def test_job_of_a_killed_server_continues_on_the_other(world: World) -> None:
    """The server dies while the service works on the task; last, because it stays dead."""
    world.clock.run(Clock.STOPPED)
    polls, result = world.polls(), world.queue("job that is moved!")
    # Killed while it sends, the outcome would be unknown; by its first poll the id is recorded.
    ComfyFixture.until(lambda: world.posts("job that is moved!") and world.polls() > polls)
    [busy] = [
        url for url, server in world.servers.items()
        if server.request("GET", "/queue").json()["queue_running"]
    ]  # fmt: skip
    world.servers[busy].kill()
    world.clock.run(Clock.FLYING)
    wait_for([result])
    [other] = set(world.servers) - {busy}
    [image] = result.result["outputs"][SAVED]["images"]
    assert result.result["server"] == other and len(world.posts("job that is moved!")) == 1
    assert image["filename"] in world.servers[other].request("GET", "/history").body.decode()
    assert world.servers[other].view(**image)
