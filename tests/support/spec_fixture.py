"""A ComfyUI server that uses the spec service, and graphs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import spec_service, workflows
from .comfy_events import Outcome
from .comfy_fixture import seen
from .comfy_launch import PACK_FOLDER
from .comfy_server import ComfyServer
from .paths import PACK_ROOT
from .spec_service import KEY, SpecService


@dataclass
class World:
    server: ComfyServer
    service: SpecService

    def run(self, graph: dict[str, Any]) -> Outcome:
        outcome = self.server.run(graph)
        assert outcome.status == "success", outcome.error.get("exception_message")
        assert self.service.complaints == []
        return outcome

    def fail(self, graph: dict[str, Any]) -> str:
        outcome = self.server.run(graph)
        assert outcome.status == "error" and self.service.complaints == []
        return outcome.error["exception_message"]

    def posts(self, prompt: str) -> list[dict[str, Any]]:
        return [body for body in self.service.posts if body["prompt"] == prompt]


@contextmanager
def open_world(folder: Path, boot: Callable[..., ComfyServer]) -> Iterator[World]:
    """A world whose files are in ``folder``; ``boot`` starts a server, see ``conftest.py``."""
    with spec_service.serving() as service:
        server = boot(
            environment={
                "DEEPSPACE_BASE_URL": service.url,
                "DEEPSPACE_API_KEY": KEY,
                "SEEDREAM_HOME": str(folder / "home"),
            },
            packs={
                PACK_FOLDER: PACK_ROOT,
                workflows.TOOLS: workflows.write_tools(folder / "tools"),
            },
        )
        yield World(server, service)
        server.stop()


def evolink_graph(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {
        "1": workflows.evolink(prompt, **inputs),
        "2": workflows.look("1", 0),
        "3": workflows.show("1", 2),
        "4": workflows.show("1", 3),
        "5": workflows.show("1", 4),
    }


def preferential_graph(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {
        "1": workflows.preferential(prompt, **inputs),
        "2": workflows.look("1", 0),
        "3": workflows.show("1", 2),
        "5": workflows.show("1", 3),
    }


def check_images(outcome: Outcome, count: int) -> None:
    """The very images that the service made, in its order."""
    (batch,) = seen(outcome, "2")
    assert batch["shape"] == [count, spec_service.HEIGHT, spec_service.WIDTH, 3]
    reds = [round(middle[0] * 255) for middle in batch["middles"]]
    assert reds == [10 + 15 * place for place in range(count)]
