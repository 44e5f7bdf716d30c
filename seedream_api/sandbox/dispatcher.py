"""Serve connections: read a request, wait as long as the service would, and send the reply."""

from __future__ import annotations

import logging
import threading

from .connection import Connection
from .exchange import HttpRequest, Reply, relay_refusal, too_large
from .service import Service

LOG = logging.getLogger("seedream.sandbox")


class Dispatcher:
    """Serves the requests of all connections; each connection has its own thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stopping = threading.Event()

    def open(self) -> None:
        """Accept requests, also after `close`."""
        self._stopping.clear()

    def close(self) -> None:
        """End every wait; replies that are still waiting are never sent."""
        self._stopping.set()

    def pause(self, seconds: float) -> bool:
        """Wait; return False as soon as the sandbox stops."""
        return not self._stopping.wait(max(seconds, 0.0))

    def serve(self, connection: Connection) -> None:
        """Read one request from ``connection`` and send the reply."""
        route = self._service.find_route(connection.command, connection.target)
        request = connection.read_request(self._service.body_limit(route))
        reply = self.respond(route, request)
        if self.pause(reply.wait_s):
            connection.send(reply)
        else:
            connection.close_connection = True

    def respond(self, route: str, request: HttpRequest) -> Reply:
        """Return the service's reply; 500 if the sandbox cannot use its folder."""
        if request.too_long:
            return too_large(self._service.body_limit(route)).reply
        try:
            return self._service.respond(route, request)
        except OSError as error:
            LOG.warning("the sandbox cannot use its folder: %s", error.strerror)
            message = "the sandbox cannot use its folder"
            return relay_refusal(500, message, code="do_request_failed").reply
