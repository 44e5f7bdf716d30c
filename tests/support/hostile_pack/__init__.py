"""A pack as ComfyUI may load it beside ours: it changes everything that a process shares.

``NEIGHBOUR_HOME`` is its folder; all that anybody logs lies there in ``log``. ``GET /neighbour``
says which of its changes stand, and how often others passed through them.
"""

from __future__ import annotations

import asyncio
import decimal
import json
import locale
import logging
import os
import random
import socket
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from PIL import Image, ImageFile
from server import PromptServer

HOME = Path(os.environ["NEIGHBOUR_HOME"])
ELSEWHERE = HOME / "elsewhere"
passed: Counter[str] = Counter()
stands: dict[str, Callable[[], bool]] = {}


# ---- httpx: other defaults for everybody, and every request that fails is sent again ----


def with_defaults(first: Callable[..., None], defaults: dict[str, Any]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **given: Any) -> None:
        first(self, *args, **{**defaults, **given})

    return init


CLIENTS = {
    "verify": False, "follow_redirects": True, "timeout": 0.001, "headers": {"X-Neighbour": "1"},
}  # fmt: skip
for kind in (httpx.Client, httpx.AsyncClient):
    kind.__init__ = with_defaults(kind.__init__, CLIENTS)
for kind in (httpx.HTTPTransport, httpx.AsyncHTTPTransport):
    kind.__init__ = with_defaults(kind.__init__, {"verify": False, "retries": 3})

handle = httpx.AsyncHTTPTransport.handle_async_request


async def handle_again(self: Any, request: httpx.Request) -> httpx.Response:
    passed["requests"] += 1
    request.headers["X-Neighbour"] = "1"
    for attempt in range(4):
        try:
            answer = await handle(self, request)
        except Exception:
            if attempt == 3:
                raise
            continue
        if answer.status_code < 500 or attempt == 3:
            return answer
        await answer.aread()
    raise AssertionError


httpx.AsyncHTTPTransport.handle_async_request = handle_again
stands["httpx"] = lambda: httpx.AsyncHTTPTransport.handle_async_request is handle_again


# ---- Pillow: no limits, files that are cut off, and every picture grey ----

opened = Image.open


def open_grey(*args: Any, **more: Any) -> Image.Image:
    return opened(*args, **more).convert("L")


Image.open = open_grey
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = True
stands["Pillow"] = lambda: Image.open is open_grey and Image.MAX_IMAGE_PIXELS is None
stands["Pillow's files"] = lambda: ImageFile.LOAD_TRUNCATED_IMAGES is True


# ---- logging: everything of everybody into a file ----


class Everything(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.file = (HOME / "log").open("a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)  # with its traceback
        self.file.write(f"{record.name}: {text} {vars(record)!r}\n")
        self.file.flush()


class Loud(logging.Logger):
    def isEnabledFor(self, level: int) -> bool:
        return True


everything = Everything()
logging.setLoggerClass(Loud)
logging.captureWarnings(True)
logging.getLogger().addHandler(everything)
logging.getLogger().setLevel(logging.DEBUG)
for name in ("httpx", "httpcore", "asyncio", "seedream"):
    logging.getLogger(name).setLevel(logging.DEBUG)
stands["logging"] = lambda: (
    everything in logging.getLogger().handlers
    and logging.getLogger().level == logging.DEBUG
    and logging.getLoggerClass() is Loud
)


# ---- event loops: those of Python instead of C, run inside each other, and kept ----

asyncio.Task = asyncio.tasks._CTask = asyncio.tasks.Task = asyncio.tasks._PyTask
asyncio.Future = asyncio.futures._CFuture = asyncio.futures.Future = asyncio.futures._PyFuture


class Loops(type(asyncio.get_event_loop_policy())):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        passed["loops"] += 1
        loop = super().new_event_loop()
        loop.set_debug(True)
        return loop


kept = threading.local()


def run(main: Any, **_: Any) -> Any:
    """As the patch for loops inside of loops has it: one loop a thread, never closed."""
    if getattr(kept, "loop", None) is None:
        kept.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(kept.loop)
    return kept.loop.run_until_complete(main)


asyncio.set_event_loop_policy(Loops())
asyncio.run = run
own_loop = asyncio.new_event_loop()
threading.Thread(target=own_loop.run_forever, daemon=True).start()
stands["event loops"] = lambda: (
    isinstance(asyncio.get_event_loop_policy(), Loops)
    and asyncio.run is run
    and asyncio.Task is asyncio.tasks._PyTask
    and own_loop.is_running()
)


# ---- the process ----

ELSEWHERE.mkdir()
os.chdir(ELSEWHERE)
os.umask(0)
stands["working directory"] = lambda: Path.cwd() == ELSEWHERE
stands["rights of new files"] = lambda: os.umask(0) == 0

for language in ("de_DE.UTF-8", "tr_TR.UTF-8", "C"):
    try:
        LOCALE = locale.setlocale(locale.LC_ALL, language)
        break
    except locale.Error:
        continue
stands["locale"] = lambda: locale.setlocale(locale.LC_ALL) == LOCALE

decimal.getcontext().prec = 2
socket.setdefaulttimeout(0.000001)
stands["socket timeouts"] = lambda: socket.getdefaulttimeout() == 0.000001
random.seed(1)
# Not of everybody's: ComfyUI itself would not start.
STRICT = r".*(Seedream|httpx|httpcore|anyio|asyncio|PIL|numpy|pydantic|sqlite3|ssl)"
warnings.filterwarnings("error", module=STRICT)
stands["warnings"] = lambda: warnings.filters[0][0] == "error"

dumps = json.dumps


def ascii_dumps(value: Any, *args: Any, **more: Any) -> str:
    return dumps(value, *args, **{"ensure_ascii": True, "indent": 1, **more})


json.dumps = ascii_dumps
stands["json"] = lambda: json.dumps is ascii_dumps


# ---- what it tells ----


@PromptServer.instance.routes.get("/neighbour")
async def tell(request: web.Request) -> web.Response:
    told = {"stands": {name: check() for name, check in stands.items()}, "passed": passed}
    return web.Response(text=dumps(told), content_type="application/json")


NODE_CLASS_MAPPINGS: dict[str, type] = {}
