"""Programs of others that queue workflows: progress, the paid images alone, and a clear error."""

from __future__ import annotations

import json

import pytest
from comfy_toolkit import ComfyClient
from comfy_toolkit.errors import ComfyExecutionError
from websocket import WebSocket

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture


def test_toolkit_sees_progress_and_gets_the_saved_image(comfy: ComfyFixture, prompt: str) -> None:
    client = ComfyClient(comfy.server.url)
    comfy.clock.run(Clock.REAL)
    steps: list[tuple[int, int]] = []
    result = client.submit_and_track(
        {"1": workflows.evolink(prompt), "2": workflows.save("1")},
        on_progress=lambda step, total: steps.append((step, total)),
    )
    assert steps and all(0 <= step <= total == 100 for step, total in steps)
    [image] = result["images"]
    assert (image["node_id"], image["type"]) == ("2", "output")
    assert client.download(image).startswith(b"\x89PNG")


def test_toolkit_gets_reason_charge_and_advice(comfy: ComfyFixture, prompt: str) -> None:
    client = ComfyClient(comfy.server.url)
    graph = {"1": workflows.evolink(f"{prompt} [blocked]"), "2": workflows.save("1")}
    with pytest.raises(ComfyExecutionError) as caught:
        client.submit_and_track(graph)
    said = caught.value.detail
    assert "Moderation refused" in said and "Nothing was charged." in said
    assert "Change the prompt" in said


def test_simple_program_gets_no_binary_message(comfy: ComfyFixture, prompt: str) -> None:
    """As for comfy_api_simplified, which takes each one for an image."""
    client = ComfyClient(comfy.server.url)
    socket = WebSocket()
    socket.connect(client.ws_url(), timeout=30)
    prompt_id = client.submit({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    kinds = set[str]()
    while "execution_success" not in kinds:
        message = socket.recv()
        assert isinstance(message, str)
        event = json.loads(message)
        if event["data"].get("prompt_id") == prompt_id:
            kinds.add(event["type"])
    socket.close()
