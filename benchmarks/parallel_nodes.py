"""Four independent Evolink nodes in one graph beside one alone, on a real ComfyUI server.

    python benchmarks/parallel_nodes.py

The service takes ten seconds for a task. Exit code 1 when four take 1.3 times as long as one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# After the script's own folder, and not the pack's root: its nodes/ would hide ComfyUI's.
sys.path.append(str(ROOT / "tests"))

SERVICE_S, NODES, ALLOWED = 10.0, 4, 1.3


def graph(name: str, count: int) -> dict[str, Any]:
    """Build independent generators with different requests, each with a node behind it."""
    found: dict[str, Any] = {}
    for number in range(count):
        inputs = {"prompt": f"{name} {number}", "model": "Seedream-4.0", "quality": "1K"}
        found[str(number)] = {"class_type": "SeedreamEvolink", "inputs": inputs}
        images = {"images": [str(number), 0]}
        found[str(50 + number)] = {"class_type": "PreviewImage", "inputs": images}
    return found


def main() -> int:
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "seedream_api", ROOT / "seedream_api" / "__init__.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["seedream_api"] = module
    spec.loader.exec_module(module)
    from seedream_api.sandbox import SANDBOX_KEY, Sandbox
    from support.comfy_server import ComfyServer

    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(Path(folder) / "service", task_seconds=SERVICE_S) as sandbox,
    ):
        environment = {
            "DEEPSPACE_BASE_URL": sandbox.url,
            "DEEPSPACE_API_KEY": SANDBOX_KEY,
            "SEEDREAM_HOME": str(Path(folder) / "home"),
        }
        with ComfyServer(Path(folder) / "comfyui", environment=environment) as server:
            took = [seconds(server, graph(f"{count} at once", count)) for count in (1, NODES)]
    one, four = took
    ratio = four / one
    print(f"one node: {one:.2f} s, {NODES} nodes: {four:.2f} s, ratio {ratio:.2f} (< {ALLOWED})")
    return 0 if ratio < ALLOWED else 1


def seconds(server: Any, prompt: dict[str, Any]) -> float:
    """From the prompt's start to its end, by the server's own messages."""
    outcome = server.run(prompt, timeout=300)
    assert outcome.status == "success", outcome.error
    (start,) = outcome.of_type("execution_start")
    (end,) = outcome.of_type("execution_success")
    return end.at - start.at


if __name__ == "__main__":
    sys.exit(main())
