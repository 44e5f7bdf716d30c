"""Run every example workflow on a real ComfyUI, with the pack's sandbox as the service.

``python dev.py demo`` starts it. A workflow may use what an earlier one showed: the text
``{{task_id}}`` stands for what the latest "Preview as Text" node linked to an output ``task_id``
showed, ``{{url}}`` for the first line of ``urls``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PACK_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(PACK_ROOT / "tests"))

from support.comfy_events import Event, Outcome
from support.comfy_launch import ComfyServerError, find_comfyui
from support.comfy_server import ComfyServer, PromptRefused

WORKFLOWS = PACK_ROOT / "example_workflows" / "api"
PICTURES = PACK_ROOT / "demo_output"
WORKFLOW_SECONDS = 300


def fill_in(workflow: str, shown: dict[str, str]) -> dict[str, Any]:
    """The workflow with what earlier ones showed in place of each ``{{name}}``."""

    def as_json(match: re.Match[str]) -> str:
        return json.dumps(shown[match[1]])[1:-1]

    return json.loads(re.sub(r"\{\{(\w+)\}\}", as_json, workflow))


def shown_by(prompt: dict[str, Any], outcome: Outcome, nodes: dict[str, Any]) -> dict[str, str]:
    """Output name -> text, for each "Preview as Text" node of the workflow."""
    shown: dict[str, str] = {}
    for node_id, node in prompt.items():
        text = outcome.outputs.get(node_id, {}).get("text")
        source = node["inputs"].get("source")
        if node["class_type"] == "PreviewAny" and text and isinstance(source, list):
            names = nodes[prompt[source[0]]["class_type"]]["output_name"]
            shown[names[source[1]]] = text[0]
    if shown.get("urls"):
        shown["url"] = shown["urls"].splitlines()[0]
    return shown


class ProgressLines:
    """A line for each new status text or tenth of progress, with the node it belongs to."""

    def __init__(self, prompt: dict[str, Any]) -> None:
        self._titles = {
            node_id: node.get("_meta", {}).get("title") or node["class_type"]
            for node_id, node in prompt.items()
        }
        self._last: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        if event.type == "progress_text":
            self._show(event.data["node"], event.data["text"])
        elif event.type == "progress_state":
            for node, state in event.data["nodes"].items():
                # A bar of one step is ComfyUI's own: begun, done.
                if state["state"] == "running" and state["max"] > 1:
                    self._show(node, f"{state['value'] / state['max'] * 10:.0f}0 %")

    def _show(self, node: str, text: str) -> None:
        if self._last.get(node) != text:
            print(f"      {self._titles.get(node, node)}: {text}", flush=True)
        self._last[node] = text


def save_pictures(server: ComfyServer, outcome: Outcome) -> list[str]:
    images = [image for output in outcome.outputs.values() for image in output.get("images", [])]
    saved = [image for image in images if image["type"] == "output"]
    for image in saved:
        (PICTURES / image["filename"]).write_bytes(server.view(**image))
    return [image["filename"] for image in saved]


def run_workflow(server: ComfyServer, file: Path, shown: dict[str, str]) -> bool:
    started = time.monotonic()
    try:
        prompt = fill_in(file.read_text("utf-8"), shown)
        outcome = server.run(prompt, WORKFLOW_SECONDS, ProgressLines(prompt))
    except KeyError as missing:
        print(f"      FAILED: no earlier workflow showed {missing}")
        return False
    except PromptRefused as refused:
        print(f"      FAILED: ComfyUI refused the workflow: {refused}")
        return False
    except ComfyServerError as error:
        print(f"      FAILED: {error}")
        return False
    if outcome.status != "success":
        print(f"      FAILED: {outcome.error.get('exception_message', outcome.status).strip()}")
        return False
    shown.update(shown_by(prompt, outcome, server.object_info()))
    pictures = save_pictures(server, outcome)
    print(f"      ok, {time.monotonic() - started:.1f} s. {', '.join(pictures) or 'No images.'}")
    return True


def main() -> int:
    files = sorted(WORKFLOWS.glob("*.json"))
    if not files:
        print(f"No workflows in {WORKFLOWS}")
        return 1
    PICTURES.mkdir(exist_ok=True)
    shown: dict[str, str] = {}
    results: list[bool] = []
    with tempfile.TemporaryDirectory(prefix="seedream-demo-") as folder:
        base = Path(folder)
        example = find_comfyui() / "input" / "example.png"  # the image that ComfyUI comes with
        if example.is_file():
            (base / "input").mkdir()
            shutil.copy(example, base / "input")
        settings = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(base / "seedream")}
        print("Starting ComfyUI ...", flush=True)
        with ComfyServer(base, environment=settings) as server:
            for number, file in enumerate(files, 1):
                print(f"[{number}/{len(files)}] {file.name}", flush=True)
                results.append(run_workflow(server, file, shown))
    print(f"{sum(results)} of {len(results)} workflows ran. Images: {PICTURES}")
    print("Cost: nothing. The service was the pack's built-in sandbox; nothing left this machine.")
    return 0 if all(results) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ComfyServerError as error:
        sys.exit(f"ComfyUI: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
