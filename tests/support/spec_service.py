"""A replacement of the service, written from its documentation alone, without code of the pack.

It does what the main page says. A ``Script`` per prompt adds what other pages say. Anything in a
request that the main page does not list is a complaint, and so is a key that reaches the image
host, which is another server on another port.
"""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .canary import SECOND_KEY as KEY

GENERATE, TASK = "/v1/images/generations", "/v1/images/Seedream/"
AT_ONCE = ("Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential")
LATER = ("Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0")
WIDTH, HEIGHT = 48, 32
AT_ONCE_FIELDS: dict[str, Callable[[Any], bool]] = {
    "size": lambda value: value in ("2K", "4K"),
    "watermark": lambda value: isinstance(value, bool),
    "output_format": lambda value: value in ("png", "jpeg"),
}
LATER_FIELDS: dict[str, Callable[[Any], bool]] = {
    "size": lambda value: value in ("16:9", "9:16", "1:1"),
    "quality": lambda value: value in ("1K", "2K", "4K"),
    "n": lambda value: type(value) is int and 1 <= value <= 15,
    "prompt_priority": lambda value: value in ("standard", "fast"),
}

Told = tuple[int, Any]
"""Status and body; a body of bytes is sent as it is, anything else as JSON."""


def picture(place: int) -> bytes:
    """The result at ``place`` of a group: a PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((10 + 15 * place, 120, 200)) * WIDTH) * HEIGHT
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@dataclass
class Job:
    """One accepted generation request."""

    id: str
    body: dict[str, Any]
    urls: list[str]
    created: int
    looks: int = 0


def answer_at_once(job: Job) -> Told:
    data = [{"url": url} for url in job.urls]
    return 200, {"data": data, "created": job.created, "model": job.body["model"]}


def accept(job: Job) -> Told:
    named = {"model": job.body["model"], "created_at": job.created}
    return 200, {"id": job.id, "object": "image.generation", **named}


def complete(job: Job) -> Told:
    data = [{"url": url} for url in job.urls]
    times = {"created_at": job.created, "completed_at": job.created + 92}
    return 200, {"id": job.id, "status": "completed", "output": {"data": data}, **times}


@dataclass(frozen=True)
class Script:
    """The responses for a prompt: to the POST, then to each poll (the last one repeats)."""

    posted: Callable[[Job], Told] | None = None
    looked: Sequence[Callable[[Job], Told]] = (complete,)


@dataclass
class SpecService:
    """The API on one loopback port, the images on another."""

    url: str = ""
    images_url: str = ""
    scripts: dict[str, Script] = field(default_factory=dict[str, Script])
    posts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    complaints: list[str] = field(default_factory=list[str])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def generate(self, body: dict[str, Any]) -> Told:
        self.posts.append(body)
        found = [*self._faults(body)]
        self.complaints += found
        if found:
            return refusal(400, "invalid_request", "; ".join(found))
        at_once = body["model"] in AT_ONCE
        with self._lock:
            number = len(self._jobs)
            job = Job(f"task-second{number:06d}", body, [], int(time.time()))
            for place in range(body.get("n", 1)):
                path = f"/made/{number}/{place}.png"
                self.files[path] = picture(place)
                job.urls.append(self.images_url + path)
            self._jobs[job.id] = job
        script = self.scripts.get(body["prompt"], Script())
        return (script.posted or (answer_at_once if at_once else accept))(job)

    def look(self, task_id: str) -> Told:
        job = self._jobs.get(task_id)
        if job is None:
            return refusal(404, "", "Task not found or expired")
        script = self.scripts.get(job.body["prompt"], Script())
        told = script.looked[min(job.looks, len(script.looked) - 1)]
        job.looks += 1
        return told(job)

    def _faults(self, body: dict[str, Any]) -> Iterator[str]:
        """Yield what the main page's tables do not allow, and references that cannot be fetched."""
        at_once = body.get("model") in AT_ONCE
        references = "image" if at_once else "image_urls"
        fields: dict[str, Callable[[Any], bool]] = {
            "model": lambda value: value in (*AT_ONCE, *LATER),
            "prompt": lambda value: isinstance(value, str) and value.strip() != "",
            references: lambda value: isinstance(value, list) and 1 <= len(value) <= 14,
            **(AT_ONCE_FIELDS if at_once else LATER_FIELDS),
        }
        for name, value in body.items():
            if name not in fields or not fields[name](value):
                yield f"{name} = {value!r}"
        for reference in body.get(references, ()):
            if at_once and reference.startswith("data:image/"):
                base64.b64decode(reference.partition(",")[2], validate=True)
                continue
            with urllib.request.urlopen(reference, timeout=10) as answer:
                if not answer.headers["Content-Type"].startswith("image/"):
                    yield f"{reference} is no image"


def refusal(status: int, code: str | int | None, message: str, kind: str = "new_api_error") -> Told:
    """An error as new-api, Ark and Evolink shape it."""
    return status, {"error": {"message": message, "type": kind, "param": "", "code": code}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: SpecService

    def tell(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def is_known(self) -> bool:
        if self.headers["Authorization"] == f"Bearer {KEY}":
            return True
        self.tell(*refusal(401, "", "Invalid token (request id: 2026)"))
        return False

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != GENERATE or self.headers["Content-Type"] != "application/json":
            self.tell(*refusal(404, "", f"Invalid URL (POST {self.path})"))
        elif self.is_known():
            self.tell(*self.service.generate(json.loads(raw)))

    def do_GET(self) -> None:
        if not self.path.startswith(TASK):
            self.tell(*refusal(404, "", f"Invalid URL (GET {self.path})"))
        elif self.is_known():
            self.tell(*self.service.look(self.path.removeprefix(TASK)))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class _Images(_Handler):
    def do_GET(self) -> None:
        if "Authorization" in self.headers:
            self.service.complaints.append(f"the key came along to {self.path}")
        data = self.service.files.get(self.path)
        self.tell(404 if data is None else 200, data or b"", "image/png")


@contextmanager
def serving() -> Iterator[SpecService]:
    """A running service."""
    service = SpecService()
    with ExitStack() as running:
        for name, base in (("url", _Handler), ("images_url", _Images)):
            handler = type(name, (base,), {"service": service})
            server = running.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            setattr(service, name, f"http://127.0.0.1:{server.server_address[1]}")
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            running.callback(server.shutdown)
        yield service
