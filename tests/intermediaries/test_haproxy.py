"""HAProxy before the service."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from seedream_api import Charge

from .origin import DIE, SILENCE, Origin
from .paying import Customer, noise
from .programs import free_port, running

CONFIGURATION = """
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server {server_s}s
  timeout http-request 1s
  retries 2
frontend front
  bind 127.0.0.1:{port}
  {front}
  default_backend back
backend back
  {back}
"""

TITLES = ("503 Service Unavailable", "502 Bad Gateway", "504 Gateway Time-out",
          "429 Too Many Requests", "408 Request Time-out")  # fmt: skip
"""The headings of its pages, which a message may quote."""


@contextlib.contextmanager
def haproxy(folder: Path, *, front: str = "", back: str = "", server_s: int = 10) -> Iterator[int]:
    """The port of HAProxy with these lines."""
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(CONFIGURATION.format(port=port, front=front, back=back, server_s=server_s))
    with running("haproxy", "-db", "-f", path, port=port, folder=folder):
        yield port


def customer_at(port: int, folder: Path) -> Customer:
    return Customer(f"http://127.0.0.1:{port}", folder / "home")


def test_no_server_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    with haproxy(tmp_path, back="http-request silent-drop if FALSE") as port:
        outcome = customer_at(port, tmp_path).pay()
        assert outcome.kind == "OutcomeUnknown" and outcome.charge is Charge.POSSIBLE
        outcome.require_readable(may_quote=TITLES)


def test_dying_server_is_sent_one_request(tmp_path: Path, origin: Origin) -> None:
    origin.answer = lambda number: DIE
    with haproxy(tmp_path, back=f"server one 127.0.0.1:{origin.port}") as port:
        customer = customer_at(port, tmp_path)
        outcomes = [customer.pay() for _ in range(3)]
        assert {one.kind for one in outcomes} == {"OutcomeUnknown"} and origin.posts == 1
        outcomes[0].require_readable(may_quote=TITLES)


def test_server_timeout_is_sent_one_request(tmp_path: Path, origin: Origin) -> None:
    origin.answer = lambda number: SILENCE
    back = f"server one 127.0.0.1:{origin.port}"
    with haproxy(tmp_path, back=back, server_s=1) as port:
        customer = customer_at(port, tmp_path)
        outcomes = [customer.pay() for _ in range(2)]
        assert {one.kind for one in outcomes} == {"OutcomeUnknown"} and origin.posts == 1
        outcomes[0].require_readable(may_quote=TITLES)


def test_denied_request_is_rate_limited(tmp_path: Path, origin: Origin) -> None:
    back = f"server one 127.0.0.1:{origin.port}"
    with haproxy(tmp_path, front="http-request deny deny_status 429", back=back) as port:
        outcome = customer_at(port, tmp_path).pay()
        assert outcome.is_free and outcome.kind == "RateLimited" and origin.posts == 0
        outcome.require_readable(may_quote=TITLES)


def test_slow_request_timeout_is_unknown(tmp_path: Path, origin: Origin) -> None:
    front = "option http-buffer-request"
    back = f"server one 127.0.0.1:{origin.port}"
    with haproxy(tmp_path, front=front, back=back) as port, slow_line(port) as slow:
        customer = customer_at(slow, tmp_path)
        customer.references = (noise(tmp_path / "large.png", 500),)
        outcomes = [customer.pay() for _ in range(2)]
        assert {one.kind for one in outcomes} == {"OutcomeUnknown"} and origin.posts == 0
        assert outcomes[0].charge is Charge.POSSIBLE
        outcomes[0].require_readable(may_quote=TITLES)


@contextlib.contextmanager
def slow_line(port: int) -> Iterator[int]:
    """A port whose connections reach ``port``: requests stall after their first 8 KB."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(near, port), daemon=True).start()


def _carry(near: socket.socket, port: int) -> None:
    """Send 8 KB on, take what comes, then read the rest and close: a client never sees a reset."""
    with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", port)) as far:
        sent = 0
        while sent < 8_192:
            piece = near.recv(8_192 - sent)
            if not piece:
                return
            far.sendall(piece)
            sent += len(piece)
        far.settimeout(10)
        answer = b""
        while piece := far.recv(65_536):
            answer += piece
        near.sendall(answer)
        near.settimeout(2)
        until = time.monotonic() + 2
        while time.monotonic() < until and near.recv(65_536):
            pass
