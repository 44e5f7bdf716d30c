"""A dispatcher that logs every request, applies scripted faults, and can hold replies."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import cast

from seedream_api.sandbox.connection import Connection
from seedream_api.sandbox.dispatcher import Dispatcher

from .fault_queue import FaultQueue
from .faults import DropBeforeReceipt, Fault
from .request_log import LoggedRequest, RequestLog
from .service import FakeServiceRules


class FaultyDispatcher(Dispatcher):
    """Takes requests from connections as the next fault of their route demands."""

    def __init__(
        self, service: FakeServiceRules, faults: FaultQueue, now: Callable[[], float]
    ) -> None:
        super().__init__(service)
        self.log = RequestLog()
        self._faults = faults
        self._now = now
        self._is_held = False
        self._may_respond = threading.Event()

    def open(self) -> None:
        """Accept requests, also after `close`."""
        super().open()
        self._set_gate()

    def close(self) -> None:
        """End every wait; replies that are still waiting are never sent."""
        super().close()
        self._may_respond.set()

    def hold(self) -> None:
        """Keep the replies to generation requests back."""
        self._is_held = True
        self._set_gate()

    def release(self) -> None:
        """End `hold`."""
        self._is_held = False
        self._set_gate()

    def serve(self, connection: Connection) -> None:
        """Serve one request as the next fault of its route demands."""
        route = self._service.find_route(connection.command, connection.target)
        fault = self._faults.take(route)
        if isinstance(fault, DropBeforeReceipt):
            _reset(connection)
            return
        received = connection.read_request(self._service.body_limit(route))
        request = LoggedRequest(
            **vars(received),
            at=self._now(),
            fault=fault.name if fault else None,
            taken=fault is None or fault.takes,
            fault_object=fault,
        )
        self.log.add(request)
        if not self._send(connection, route, request, fault or Fault()):
            connection.close_connection = True

    def _send(
        self, connection: Connection, route: str, request: LoggedRequest, fault: Fault
    ) -> bool:
        """Send the reply; return False if the connection cannot be used again."""
        made = self.respond(route, request) if request.taken else None
        reply = fault.reply(made)
        if reply is None:
            return False
        if route == "generate" and request.taken:
            self._may_respond.wait()
        if not self.pause((made.wait_s if made else 0.0) + fault.wait_s):
            return False
        self.log.note_status(request, reply.status)
        return fault.send(connection, reply, self.pause)

    def _set_gate(self) -> None:
        if self._is_held and not self._stopping.is_set():
            self._may_respond.clear()
        else:
            self._may_respond.set()


def _reset(connection: Connection) -> None:
    """Close with a reset, so that what the client still sends is refused."""
    connection.close_connection = True
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    opened = cast(socket.socket, connection.connection)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    socket.close(opened.detach())
