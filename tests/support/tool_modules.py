"""Programs of ``tools/`` as modules."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from .paths import PACK_ROOT


def load_tool(name: str) -> ModuleType:
    """Load ``tools/<name>.py`` without running its ``main``."""
    spec = importlib.util.spec_from_file_location(name, PACK_ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
