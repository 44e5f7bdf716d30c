"""What importing the pack costs on top of a ComfyUI that is running.

    python benchmarks/import_time.py

``python -X importtime`` of everything that ComfyUI itself has imported when it loads packs, beside
the same with the pack. The pack's figure is what Python adds up for it and all that it brings; the
best of several processes, for other load only adds. Exit code 1 from 100 ms on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMFYUI = Path(os.environ.get("COMFYUI_PATH") or ROOT / ".dev" / "comfyui").resolve()
PYTHON = os.environ.get("COMFYUI_PYTHON") or sys.executable
ROUNDS, ALLOWED_MS = 5, 100.0

# As ComfyUI does it: by the path of the folder, whose name needs no Python identifier. What
# follows "begin" is the pack's; Python prints a module's line when its import has ended.
HOST = """
import sys
sys.path[:0] = [{tests!r}, {comfyui!r}]
from support import stub_modules
stub_modules.install()
from comfy.cli_args import args
args.cpu = True
import utils.extra_config, comfy_api.latest, nodes, server, folder_paths, execution
import comfy_config.config_parser  # what reads every pack's pyproject.toml
print("begin", file=sys.stderr, flush=True)
"""
PACK = """
import importlib.util
spec = importlib.util.spec_from_file_location("the_pack", {init!r},
                                              submodule_search_locations=[{root!r}])
sys.modules["the_pack"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")


def imported(script: str) -> list[tuple[int, str]]:
    """Return self time in microseconds and name of each module imported after "begin"."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603
            [PYTHON, "-X", "importtime", "-c", script],
            cwd=folder,
            env={**os.environ, "SEEDREAM_HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    after = done.stderr.partition("begin\n")[2]
    return [(int(found[1]), found[2]) for found in LINE.finditer(after)]


def main() -> int:
    host = HOST.format(tests=str(ROOT / "tests"), comfyui=str(COMFYUI))
    pack = host + PACK.format(init=str(ROOT / "__init__.py"), root=str(ROOT))
    baseline = sum(spent for spent, _ in imported(host)) / 1000
    imported(pack)  # the first import also compiles
    rounds = [imported(pack) for _ in range(ROUNDS)]
    names = [name for _, name in rounds[0]]
    assert any("seedream_api" in name for name in names), "the pack was not imported"
    cost = min(sum(spent for spent, _ in one) / 1000 for one in rounds) - baseline
    print(f"the pack adds {len(names)} modules and {cost:.1f} ms (< {ALLOWED_MS:.0f} ms)")
    for spent, name in sorted(rounds[-1], reverse=True)[:5]:
        print(f"  {spent / 1000:6.1f} ms  {name}")
    return 0 if cost < ALLOWED_MS else 1


if __name__ == "__main__":
    sys.exit(main())
