"""Nodes with input that is refused before anything is sent."""

from __future__ import annotations

from typing import Any

from . import workflows
from .comfy_fixture import ComfyFixture
from .comfy_server import PromptRefused

MAKERS = [workflows.evolink, workflows.preferential]


def refused(comfy: ComfyFixture, node: dict[str, Any], **others: dict[str, Any]) -> str:
    """Return the message of ComfyUI's own check or of the node; nothing may have been sent."""
    asked = len(comfy.sandbox.requests)
    try:
        message = comfy.fail({"1": node, "2": workflows.look("1"), **others})
        assert "charged" in message and "费用" in message
    except PromptRefused as refusal:
        message = repr(refusal.node_errors)
    assert len(comfy.sandbox.requests) == asked
    return message
