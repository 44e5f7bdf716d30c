"""Record what a page logged and requested, and know which errors are ComfyUI's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response, Route, WebSocket

HOSTS_OWN = {
    # A fresh profile has none of these files, and the frontend asks for them all the same.
    r"404 .*/(api/)?user(data/user)?\.css": "no style of the user's own",
    r"404 .*/api/userdata(\?|/comfy\.templates\.json)": "no workflows, subgraphs or template index",
    # The templates of ComfyUI itself are a package of 600 MB, left out here.
    r"404 .*/templates/index": "ComfyUI's own templates are not installed",
    r"Error loading core workflow templates": "ComfyUI's own templates are not installed",
    # The newest frontend on a server that is older than this route.
    r"404 .*/api/jobs\b": "a server without the jobs route",
    r"(JobsApiError:|\[Jobs API\]) Failed to fetch jobs: 404": "a server without the jobs route",
    # Frontend 1.49.6: its own 3D viewer, where the server's policy forbids to fetch data URIs.
    r"data:application/wasm;base64,|^Failed to fetch\s+TypeError: .*\s+at __wbg_init": (
        "the WebAssembly of the 3D viewer does not load"
    ),
    # Whose nodes these are, and how large the models of the first graph are; the server forbids it.
    r"(Connecting to|Fetch API cannot load) '?https://(api\.comfy\.org|huggingface\.co)/": (
        "the frontend asks other machines"
    ),
    # Frontend 1.49.6: its own listener, with any extension installed that takes time to load.
    r"^ComfyApp graph accessed before initialization": "the frontend asks itself too early",
    # Frontend 1.32.9, at its first start with an empty profile: its own settings' handler.
    r"Cannot read properties of undefined \(reading 'id'\)\s+at onChange \(\S+/assets/index-": (
        "a handler of the oldest frontend that runs before its workflow exists"
    ),
}
"""By pattern: what a page of ComfyUI logs as an error without this pack, and why."""


@dataclass
class Watch:
    """Everything that a page did, from the moment it was made."""

    origin: str
    errors: list[str] = field(default_factory=list[str])
    """Console errors and exceptions that are not the host's own."""
    outside: list[str] = field(default_factory=list[str])
    """Addresses of other machines that were asked for, and blocked."""
    requests: list[Request] = field(default_factory=list[Request])
    responses: list[Response] = field(default_factory=list[Response])
    frames: list[str | bytes] = field(default_factory=list[str | bytes])
    """What came by websocket."""

    def follow(self, page: Page) -> None:
        page.on("console", self._log)
        page.on("pageerror", lambda error: self._note(f"{error.message}\n{error.stack}"))
        # Playwright marks its handlers, which a built-in as list.append does not bear.
        page.on("request", lambda request: self.requests.append(request))
        page.on("response", lambda response: self.responses.append(response))
        page.on("websocket", self._listen)
        page.route(re.compile(f"^(?!{re.escape(self.origin)}|data:|blob:)"), self._block)

    def check(self) -> None:
        """Fails if the page logged an error or asked another machine for anything."""
        errors, self.errors = self.errors, []
        assert errors == [], "\n".join(errors)
        assert self.outside == [], self.outside

    def _block(self, route: Route) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.frames.append(frame))

    def _log(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        text = message.text
        if "Failed to load resource" in text:
            status = re.search(r"status of (\d+)", text)
            text = f"{status[1] if status else 'no answer'} {message.location.get('url')}"
        self._note(text)

    def _note(self, text: str) -> None:
        if not any(re.search(pattern, text) for pattern in HOSTS_OWN):
            self.errors.append(text)
