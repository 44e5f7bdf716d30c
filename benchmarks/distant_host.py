"""A distant web server: every response waits.

    python benchmarks/distant_host.py FOLDER

It serves the files of a folder, and takes uploads as an image host (a form) and as ComfyUI's own
storage does (an order in JSON, then a PUT). It prints its address and ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LATENCY_S = 0.1


class Host:
    """Files by path; what was uploaded is served again."""

    def __init__(self, folder: Path) -> None:
        self.files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}
        self.url = ""

    def keep(self, name: str, body: bytes) -> str:
        self.files[f"/{name}"] = body
        return f"{self.url}/{name}"


def handler_of(host: Host) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(LATENCY_S)
            body = host.files.get(self.path)
            self._answer(200 if body else 404, body or b"", "image/png")

        def do_POST(self) -> None:
            body = self._body()
            time.sleep(LATENCY_S)
            name = uuid.uuid4().hex
            if self.path == "/customers/storage":  # ComfyUI's: where to PUT, where it will be
                url = f"{host.url}/{name}"
                self._say({"upload_url": url, "download_url": url})
            else:
                start = body.index(b"\r\n\r\n") + 4
                self._say({"url": host.keep(name, body[start : body.rindex(b"\r\n--")])})

        def do_PUT(self) -> None:
            host.keep(self.path[1:], self._body())
            time.sleep(LATENCY_S)
            self._answer(200, b"", "text/plain")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _say(self, answer: Any) -> None:
            self._answer(200, json.dumps(answer).encode(), "application/json")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    return Handler


def main() -> None:
    host = Host(Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(host))
    server.daemon_threads = True
    host.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(host.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
