"""A real ComfyUI server as a child process, for the tests and the demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from . import canary, comfy_launch
from .comfy_events import Event, EventStream, Outcome
from .comfy_launch import PACK_FOLDER, ComfyServerError
from .paths import PACK_ROOT

BOOT_SECONDS = 180
ENDINGS = {"execution_success", "execution_error", "execution_interrupted"}

Prompt = Mapping[str, Any]


class PromptRefused(Exception):
    """``POST /prompt`` rejected the workflow as invalid."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer, ensure_ascii=False))
        self.error: dict[str, Any] = answer.get("error", {})
        self.node_errors: dict[str, Any] = answer.get("node_errors", {})


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class ComfyServer:
    """Boots ``main.py`` with the given packs alone, in a base folder that outlives a restart.

    ``start`` after ``stop`` or ``kill`` is a restart on the same folder.

    Args:
        port: by default, another free one at each start.
    """

    def __init__(
        self,
        base: Path,
        *,
        environment: Mapping[str, str] | None = None,
        packs: Mapping[str, Path] | None = None,
        arguments: Sequence[str] = (),
        frontend: Path | None = None,
        port: int = 0,
    ) -> None:
        self.base = base
        self._port = port
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = dict(environment or {})
        self._packs = {PACK_FOLDER: PACK_ROOT} if packs is None else dict(packs)
        self._arguments = list(arguments)
        self._frontend = frontend or comfy_launch.empty_frontend(base)
        self._log_path = base / "server.log"
        self._log_file: IO[bytes] | None = None
        self._stream: EventStream | None = None
        # No proxy, whatever the environment says: the server is on loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        comfy_launch.place_packs(base, self._packs)

    # ---- its life ----

    def start(self) -> ComfyServer:
        if self.process is not None:
            raise ComfyServerError("already started")
        port = self._port or comfy_launch.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log_file = self._log_path.open("ab")
        self.process = subprocess.Popen(
            [*comfy_launch.command(self.base, self._frontend, port, self._packs), *self._arguments],
            cwd=self.base,
            env=comfy_launch.environment(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_until_it_serves()
            self._stream = EventStream(self.url, client_id=uuid.uuid4().hex)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it as Ctrl+C does (on Windows, where a child cannot be sent that, at once)."""
        if self.process is not None and os.name != "nt":
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise ComfyServerError(f"did not end within 20 s\n{self._log_end()}") from None
        self.kill()

    def kill(self) -> None:
        """``kill -9``: it gets no chance to write anything down."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        if self._stream is not None:
            self._stream.join()
            self._stream = None
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None

    def __enter__(self) -> ComfyServer:
        return self if self.process else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.kill() if error else self.stop()

    @property
    def log(self) -> str:
        """Everything it has printed since the first start."""
        return self._log_path.read_text("utf-8", "replace") if self._log_path.exists() else ""

    # ---- what it is asked ----

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call any route, also the pack's own, with ``body`` as JSON; errors are returned too."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data=data,
            method=method,
            headers={**({"Content-Type": "application/json"} if data else {}), **(headers or {})},
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                given = Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                given = Answer(refusal.code, refusal.read())
        canary.WATCH.look_at(f"{method} {path}", given.body)
        return given

    def object_info(self, node: str | None = None) -> dict[str, Any]:
        return self.request("GET", f"/object_info/{node}" if node else "/object_info").json()

    def history(self, prompt_id: str) -> dict[str, Any]:
        """What /history holds of the prompt; empty while it is queued or running."""
        return self.request("GET", f"/history/{prompt_id}").json().get(prompt_id, {})

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        query = urllib.parse.urlencode({"filename": filename, "subfolder": subfolder, "type": type})
        answer = self.request("GET", f"/view?{query}")
        if answer.status != 200:
            raise ComfyServerError(f"/view?{query} answered {answer.status}")
        return answer.body

    def place_input(self, filename: str, content: bytes) -> str:
        """Put a file where LoadImage looks; returns the name to give it."""
        (self.base / "input").mkdir(exist_ok=True)
        (self.base / "input" / filename).write_bytes(content)
        return filename

    def interrupt(self, prompt_id: str | None = None) -> None:
        self.request("POST", "/interrupt", {"prompt_id": prompt_id} if prompt_id else {})

    def queue(
        self,
        prompt: Prompt,
        extra_data: Mapping[str, Any] | None = None,
        targets: Sequence[str] | None = None,
    ) -> str:
        """Queue an API-format workflow, or what these output nodes of it need; gives its id."""
        body = {
            "prompt": prompt,
            "client_id": self._events().client_id,
            "extra_data": extra_data or {},
            **({} if targets is None else {"partial_execution_targets": list(targets)}),
        }
        answer = self.request("POST", "/prompt", body)
        if answer.status != 200:
            raise PromptRefused(answer.json())
        return answer.json()["prompt_id"]

    def wait(
        self,
        prompt_id: str,
        timeout: float = 60,
        on_event: Callable[[Event], None] | None = None,
        until: Callable[[Event], bool] | None = None,
    ) -> Outcome:
        """Follow a queued prompt to its end, or to the first event for which ``until`` is true."""
        deadline = time.monotonic() + timeout
        outcome = Outcome(prompt_id)
        while True:
            event = self._events().next(prompt_id, len(outcome.events), within=0.2)
            if event is None:
                self._check_alive_and_in_time(prompt_id, deadline)
                continue
            outcome.events.append(event)
            if on_event:
                on_event(event)
            if event.type in ENDINGS:
                outcome.status = event.type.removeprefix("execution_")
            if until and until(event):
                return outcome
            # The last of all messages, sent after the history was written.
            if event.type == "executing" and event.data.get("node") is None:
                outcome.outputs = self.history(prompt_id).get("outputs", {})
                return outcome

    def events(self, type: str) -> list[Event]:
        """What it has said of this type since it started, whichever prompt ran."""
        return self._events().of_type(type)

    def run(
        self,
        prompt: Prompt,
        timeout: float = 60,
        on_event: Callable[[Event], None] | None = None,
    ) -> Outcome:
        return self.wait(self.queue(prompt), timeout, on_event)

    # ---- watching it ----

    def _wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            self._check_alive_and_in_time("boot", deadline)
            try:
                if self.request("GET", "/system_stats").status == 200:
                    return
            except OSError:
                time.sleep(0.1)

    def _check_alive_and_in_time(self, what: str, deadline: float) -> None:
        if self.process is None or self.process.poll() is not None:
            raise ComfyServerError(f"{what}: the server is not running\n{self._log_end()}")
        if time.monotonic() > deadline:
            raise ComfyServerError(f"{what}: not finished in time\n{self._log_end()}")

    def _events(self) -> EventStream:
        if self._stream is None:
            raise ComfyServerError("not started")
        return self._stream

    def _log_end(self) -> str:
        return "\n".join(self.log.splitlines()[-40:])
