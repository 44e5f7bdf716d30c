"""The routes of the pack on a real server, asked as the page asks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .comfy_fixture import ComfyFixture
from .comfy_server import Answer, ComfyServer


def ask(
    server: ComfyServer, path: str, body: object = None, origin: str | None = "own", **headers: str
) -> Answer:
    """A request as the page of this server makes it."""
    if origin is not None:
        headers["Origin"] = server.url if origin == "own" else origin
    method = "GET" if body is None else "POST"
    return server.request(method, f"/seedream{path}", body, headers)


def setting(answer: Answer, name: str) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    return next(one for one in answer.json()["settings"] if one["name"] == name)


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and English reason; the Chinese one is there too."""
    error = answer.json()["error"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in error["zh"])
    return answer.status, error["en"]


def settings_file(server: ComfyServer) -> Path:
    folder = server.base / "user" / "__seedream"
    return folder / "settings.json"


def sent_states(comfy: ComfyFixture, prompt: str) -> list[str]:
    events = comfy.server.events("seedream.task")
    return [event.data["state"] for event in events if event.data["prompt"] == prompt]
