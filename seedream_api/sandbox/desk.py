"""Between connection and service: the log, the scripted faults, and every kind of waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..catalog import MAX_REFERENCE_BYTES
from .faults import Fault
from .images import too_large
from .journal import Journal, TakenRequest
from .replies import Reply, relay_refusal
from .script import Faults
from .service import Service

LOG = logging.getLogger("seedream.sandbox")

MAX_BODY_BYTES = 25 * 1024 * 1024
"""Largest generation request in bytes. No relay publishes its own; over it: 413."""
MAX_FORM_BYTES = 101 * 1024 * 1024
"""Of an upload to a files API or an image host: theirs is the judgement about the file in it."""


class Desk:
    """Takes requests off connections and hands answers back."""

    def __init__(self, service: Service, faults: Faults, now: Callable[[], float]) -> None:
        self.journal = Journal()
        self.now = now
        self._service = service
        self._faults = faults
        self._stopping = threading.Event()
        self._held = False
        self._may_answer = threading.Event()

    def open(self) -> None:
        """Begin, or begin again."""
        self._stopping.clear()
        self._set_gate()

    def close(self) -> None:
        """Let nobody wait any longer: what is not sent yet never will be."""
        self._stopping.set()
        self._may_answer.set()

    def hold(self) -> None:
        """Keep the answers to generation requests back."""
        self._held = True
        self._set_gate()

    def release(self) -> None:
        """End `hold`."""
        self._held = False
        self._set_gate()

    def next_fault(self, route: str) -> Fault | None:
        """The fault scripted for the request at hand."""
        return self._faults.take(route)

    def body_limit(self, route: str) -> int:
        """The most bytes of a body on ``route``."""
        if route in ("files", "host"):
            return MAX_FORM_BYTES
        return MAX_REFERENCE_BYTES.value if route == "upload" else MAX_BODY_BYTES

    def take(self, request: TakenRequest, fault: Fault | None) -> None:
        """Write a request down as received, before anything is made of it."""
        request.taken = fault is None or fault.takes
        self.journal.add(request)

    def answer(
        self, route: str, request: TakenRequest, *, too_long: bool, fault: Fault | None
    ) -> Reply | None:
        """The answer, at the moment when it is to be sent; None: close without one."""
        reply = self._made(route, request, too_long, fault) if request.taken else None
        wait_s = reply.wait_s if reply else 0.0
        if fault:
            reply, wait_s = fault.reply(reply), wait_s + fault.wait_s
        if reply is None:
            return None
        if route == "generate" and request.taken:
            self._may_answer.wait()
        if not self.pause(wait_s):
            return None
        self.journal.answered(request, reply.status)
        return reply

    def pause(self, seconds: float) -> bool:
        """Wait; False as soon as the sandbox stops."""
        return not self._stopping.wait(max(seconds, 0.0))

    def _made(
        self, route: str, request: TakenRequest, too_long: bool, fault: Fault | None
    ) -> Reply:
        if too_long:
            return too_large(self.body_limit(route)).reply
        try:
            return self._service.answer(route, request, fault)
        except OSError as error:
            LOG.warning("the sandbox's folder cannot be used: %s", error.strerror)
            message = "the sandbox cannot use its folder"
            return relay_refusal(500, message, code="do_request_failed").reply

    def _set_gate(self) -> None:
        if self._held and not self._stopping.is_set():
            self._may_answer.clear()
        else:
            self._may_answer.set()
