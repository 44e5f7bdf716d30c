"""What newer hosts add to a node's schema; an older host gets the schema without it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from comfy_api.latest import io


def accepted(by: Callable[..., object], **extras: Any) -> dict[str, Any]:
    """Return those of the keyword arguments that a callable of the host accepts."""
    if dataclasses.is_dataclass(by):
        names = {field.name for field in dataclasses.fields(by)}
    else:
        names = set(inspect.signature(by).parameters)
    return {name: value for name, value in extras.items() if name in names}


def found_as(*aliases: str) -> dict[str, Any]:
    """Build the schema's words for the node search; and keep what a node shows for later runs."""
    words = [*_ALIASES, *aliases]
    return accepted(io.Schema, search_aliases=words, has_intermediate_output=True)


_ALIASES = ("seedream", "bytedance", "doubao", "deepspace", "即梦", "豆包", "字节跳动")
"""Words for every node: names of the model, its makers and its Chinese products."""

ADVANCED: dict[str, Any] = accepted(io.Boolean.Input.__init__, advanced=True)
"""For inputs that few people change: newer pages fold them."""
