"""Fixtures that the tests of this folder share."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from support.paths import PACK_ROOT


@pytest.fixture(scope="module")
def tensors() -> ModuleType:
    """``nodes.tensors`` under packages of no code, so that no ``__init__`` imports ComfyUI."""
    for name, folder in (
        ("pack_of_tensors", PACK_ROOT),
        ("pack_of_tensors.nodes", PACK_ROOT / "nodes"),
    ):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return importlib.import_module("pack_of_tensors.nodes.tensors")
