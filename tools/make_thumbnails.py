"""Make the images that ComfyUI shows beside the example workflows from their results.

``python tools/make_thumbnails.py`` runs every workflow with the built-in sandbox as the service:
nothing is charged. One that only submits shares the picture of the one that collects.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

PACK_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(PACK_ROOT / "tests"))

from support.comfy_launch import ComfyServerError
from support.comfy_server import ComfyServer
from support.example_workflows import (
    EXAMPLES,
    SHARED,
    example_names,
    place_example_image,
    saved_pictures,
    thumbnail,
)

QUALITY = 82


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="seedream-thumbnails-") as folder:
        base = Path(folder)
        settings = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(base / "seedream")}
        with ComfyServer(base, environment=settings) as server:
            place_example_image(server)
            for name in example_names():
                graph = json.loads((EXAMPLES / "api" / f"{name}.json").read_text("utf-8"))
                pictures = saved_pictures(server, server.run(graph, timeout=300))
                if pictures:
                    file = EXAMPLES / f"{name}.jpg"
                    thumbnail(pictures).save(file, "JPEG", quality=QUALITY, optimize=True)
                    print(f"{file.relative_to(PACK_ROOT)}: {file.stat().st_size} bytes")
    for name, source in SHARED.items():
        shutil.copyfile(EXAMPLES / f"{source}.jpg", EXAMPLES / f"{name}.jpg")
    missing = [name for name in example_names() if not (EXAMPLES / f"{name}.jpg").is_file()]
    print("".join(f"{name} saved no picture\n" for name in missing), end="")
    return 1 if missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ComfyServerError as error:
        sys.exit(f"ComfyUI: {error}")
