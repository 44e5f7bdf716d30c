"""Imports run one way: from package to package, and without a circle between modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "seedream_api"
ORDER = (
    {"messages"},
    {"catalog", "redaction", "_version", "kept_response"},
    {"errors"},
    {"callbacks"},
    {"network", "images"},
    {"config", "downloads"},
    {"sandbox"},
    {"service"},
    {"ledger"},
    {"uploads"},
    {"jobs"},
    {"doctor", "probe", "sync"},
    {"cli"},
)
"""Each imports only what stands before it, and a package what is its own."""
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE or path.name not in ("__init__.py", "__main__.py")
}


def imports_of(module: str) -> set[str]:
    """The modules that a module imports, under ``TYPE_CHECKING`` and in functions too."""
    path = MODULES[module]
    here = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1] + (node.module or "").split(".")
            name = ".".join(part for part in base if part)
            inside = {f"{name}.{alias.name}".lstrip(".") for alias in node.names}
            found |= inside & MODULES.keys() or {name} & MODULES.keys()
    return found - {module}


def layer_of(module: str) -> int:
    top = module.partition(".")[0]
    return next(number for number, layer in enumerate(ORDER) if top in layer)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    top = module.partition(".")[0]
    above = {
        other
        for other in imports_of(module)
        if other.partition(".")[0] != top and layer_of(other) >= layer_of(module)
    }
    assert above == set()


def test_no_circle_of_imports() -> None:
    left = {module: imports_of(module) for module in MODULES}
    while free := {module for module, others in left.items() if not others & left.keys()}:
        left = {module: others for module, others in left.items() if module not in free}
    assert left == {}
