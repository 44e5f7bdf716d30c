"""Beside other packs that change Python, httpx, Pillow or logging for the whole process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.fake_service import SANDBOX_KEY, DropAfterReceipt, Status
from support.paths import PACK_ROOT

WALK = """
import asyncio, json, logging, os, sys, warnings
from pathlib import Path

sys.path.insert(0, sys.argv[1])
exec(sys.argv[3])
from seedream_api import Request, SeedreamError, file_reference, generate, load_settings
from seedream_api.images.decode import decode
exec(sys.argv[4])


async def walk():
    picture = await asyncio.to_thread(file_reference, Path(sys.argv[2]), 1)
    request = Request(model="Seedream-4.0", prompt="A cat", quality="1K", references=(picture,))
    try:
        result = await generate(request)
    except SeedreamError as error:
        return {"status": error.status, "key": error.key}
    sizes = [decode(image.path, name="a").pixels.shape[:2] for image in result.images]
    return {"status": result.status, "sizes": [[*map(int, size)] for size in sizes]}


print("outcome", json.dumps(asyncio.run(walk())))
"""

HTTPX = """
import httpx

class Other(httpx.AsyncClient):
    async def send(self, *args, **kwargs):
        raise RuntimeError("not through this pack's client")

httpx.AsyncClient, httpx.Client.send = Other, None
httpx.get = httpx.post = httpx.request = None
"""
TRIES_AGAIN = """
import httpx
first = httpx.AsyncHTTPTransport.handle_async_request

async def handle(self, request):
    for attempt in range(4):
        try:
            answer = await first(self, request)
        except Exception:
            if attempt == 3:
                raise
            continue
        if answer.status_code < 500 or attempt == 3:
            return answer
        await answer.aread()

httpx.AsyncHTTPTransport.handle_async_request = handle
"""
PILLOW = """
from PIL import Image, ImageFile
Image.MAX_IMAGE_PIXELS = 1
ImageFile.LOAD_TRUNCATED_IMAGES = True
Image.open = None
"""
LOGGING = """
class Handler(logging.Handler):
    def emit(self, record):
        print("logged", self.format(record))

logging.setLoggerClass(type("Loud", (logging.Logger,), {}))
logging.getLogger().addHandler(Handler())
logging.getLogger().setLevel(logging.DEBUG)
logging.error = logging.warning = None
logging.captureWarnings(True)
"""
# ComfyUI has loaded both before any pack; Python 3.13.0 loads neither in a folder that is gone.
ELSEWHERE = """
import tempfile, numpy, pydantic
gone = tempfile.mkdtemp()
os.chdir(gone)
os.rmdir(gone)
"""
TIMEOUTS = "import socket; socket.setdefaulttimeout(0.000001)"
# As nest_asyncio does it: the Python versions of what is C, and a loop that may be run inside
# itself.
NESTED = """
asyncio.Task = asyncio.tasks._CTask = asyncio.tasks.Task = asyncio.tasks._PyTask
asyncio.Future = asyncio.futures._CFuture = asyncio.futures.Future = asyncio.futures._PyFuture
"""
OTHER_LOOP = """
import threading
other = asyncio.new_event_loop()
asyncio.set_event_loop(other)
threading.Thread(target=other.run_forever, daemon=True).start()
"""
WARNINGS = "warnings.simplefilter('error')"
JSON = """
plain = json.dumps
json.dumps = lambda value, *args, **more: plain(value, *args, **{"ensure_ascii": True, **more})
"""
NEIGHBOURS = {
    "httpx": HTTPX, "httpx tries again": TRIES_AGAIN, "Pillow": PILLOW, "logging": LOGGING,
    "working directory": ELSEWHERE, "socket timeouts": TIMEOUTS, "nested loops": NESTED,
    "another loop": OTHER_LOOP, "warnings are errors": WARNINGS, "json": JSON,
}  # fmt: skip


def walk(api_client: Any, folder: Path, before: str = "", after: str = "") -> tuple[Any, str]:
    """One generation with a reference in a separate process; its outcome and all it printed."""
    from PIL import Image

    picture = folder / "picture.png"
    Image.new("RGB", (64, 48), (200, 80, 20)).save(picture)
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(PACK_ROOT), str(picture), before, after],
        env={**api_client.environ, "PATH": ""},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("outcome ")]
    assert told, done.stderr
    return json.loads(told[0].removeprefix("outcome ")), done.stdout + done.stderr


LATER = ("httpx", "Pillow", "logging", "working directory")
"""Those that may as well come after this pack."""


@pytest.mark.parametrize(
    ("name", "when"),
    [*((name, "before") for name in NEIGHBOURS), *((name, "after") for name in LATER)],
)
def test_neighbour_changes_nothing(api_client: Any, tmp_path: Path, name: str, when: str) -> None:
    outcome, printed = walk(api_client, tmp_path, **{when: NEIGHBOURS[name]})
    assert outcome == {"status": "completed", "sizes": [[64, 64]]}, printed
    assert api_client.sent == 1
    assert SANDBOX_KEY not in printed


@pytest.mark.parametrize("fault", [DropAfterReceipt(), Status(502, charged=True)])
def test_neighbour_that_repeats_what_fails_does_not_pay_twice(
    api_client: Any, tmp_path: Path, fault: Any
) -> None:
    api_client.sandbox.faults.push("generate", fault)
    outcome, printed = walk(api_client, tmp_path, before=TRIES_AGAIN)
    assert outcome == {"status": "unknown", "key": "outcome_unknown"}, printed
    assert api_client.sent == 1
