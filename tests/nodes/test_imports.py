"""What importing the pack brings along: nothing that only a running node needs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support.paths import PACK_ROOT

HEAVY = {"httpx", "sqlite3", "obstore", "ssl"}


def top_level(file: Path) -> list[ast.Import | ast.ImportFrom]:
    """The imports that run when the module is imported."""
    body = ast.parse(file.read_text("utf-8")).body
    return [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]


def found(base: Path, name: str) -> Path | None:
    for file in (base / f"{name}.py", base / name / "__init__.py"):
        if file.is_file():
            return file
    return None


def reached_from(start: Path) -> tuple[set[Path], set[str]]:
    """Modules of the pack that importing ``start`` imports, and the outside ones they name."""
    inside, outside, left = set[Path](), set[str](), [start]
    while left:
        file = left.pop()
        if file in inside:
            continue
        inside.add(file)
        for node in top_level(file):
            if isinstance(node, ast.Import):
                outside |= {alias.name.partition(".")[0] for alias in node.names}
            elif not node.level:
                outside.add((node.module or "").partition(".")[0])
            else:
                base = file.parents[node.level - 1]
                for part in (node.module or "").split(".") if node.module else []:
                    if module := found(base, part):
                        left.append(module)
                    base = base / part
                named = (found(base, alias.name) for alias in node.names)
                left += [module for module in named if module]
    return inside, outside


def test_importing_the_pack_opens_no_database_and_no_http() -> None:
    inside, outside = reached_from(PACK_ROOT / "__init__.py")
    names = {file.relative_to(PACK_ROOT).with_suffix("").as_posix() for file in inside}
    known = {f"nodes/{name}" for name in ("evolink", "web/routes", "web/panel", "host/runtime")}
    assert known <= names, "the scan finds nothing"
    assert outside & HEAVY == set()
    heavy = {
        "ledger/ledger",
        "ledger/browsing",
        "jobs/session",
        "jobs/generate",
        "network/transport",
    }
    assert names & {f"seedream_api/{name}" for name in heavy} == set()


def test_route_imports_nothing_on_the_loop_of_comfyui() -> None:
    handlers = [
        (file.name, node)
        for file in (PACK_ROOT / "nodes" / "web").glob("*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and node.args.args[:1]
        if node.args.args[0].arg == "request"
    ]
    assert len(handlers) > 20, "the scan finds nothing"
    for name, handler in handlers:
        imports = [one for one in handler.body if isinstance(one, (ast.Import, ast.ImportFrom))]
        assert not imports, f"{name}: {handler.name}"


def test_pack_starts_no_process_that_would_inherit_a_key() -> None:
    modules = {"subprocess", "multiprocessing", "pty", "webbrowser"}
    calls = re.compile(r"(system|popen|startfile|fork\w*|exec[lv]\w*|spawn[lv]\w*|posix_spawn\w*)")
    files = [*(PACK_ROOT / "seedream_api").rglob("*.py"), *(PACK_ROOT / "nodes").rglob("*.py")]
    assert len(files) > 60, "the scan finds nothing"
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name.partition(".")[0] for alias in node.names} & modules, file
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in modules, file
            elif isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                assert not (owner == "os" and calls.fullmatch(node.attr)), file
                assert not node.attr.startswith("create_subprocess_"), file
                assert node.attr != "ProcessPoolExecutor", file
