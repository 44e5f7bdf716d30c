"""A server that ends requests early as Go's ``net/http`` does, which runs most relays.

It responds as soon as it has read the head, reads at most 256 KB more of the body, closes its side,
and closes the connection 500 ms later; what the client still sends then meets a reset.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from types import TracebackType

from .origin import content_length

READS_MORE = 256 << 10
WINDOW = 64 << 10
CLOSES_AFTER_S = 0.5


class GoServer:
    """Responds to every request with ``answer`` before its body is read."""

    def __init__(self, answer: bytes, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._tls = tls
        self.posts = 0
        self.sizes: list[int] = []
        self._listener = socket.socket()
        # Accepted connections inherit the window.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(50)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> GoServer:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        taken.settimeout(10)
        with contextlib.suppress(OSError), taken:
            if self._tls is None:
                self._answer(taken)
                taken.shutdown(socket.SHUT_WR)
                time.sleep(CLOSES_AFTER_S)
                return
            with self._tls.wrap_socket(taken, server_side=True) as wrapped:
                self._answer(wrapped)
                # Sends "close notify" and waits for none, as Go does.
                wrapped.settimeout(0)
                with contextlib.suppress(ssl.SSLWantReadError):
                    wrapped.unwrap()
                time.sleep(CLOSES_AFTER_S)

    def _answer(self, taken: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = taken.recv(4_096)
            if not piece:
                raise ConnectionResetError("the head ended early")
            data += piece
        head = data.partition(b"\r\n\r\n")[0].decode("latin-1")
        self.posts += head.startswith("POST ")
        self.sizes.append(content_length(head))
        taken.sendall(self.answer)
        left = READS_MORE
        while left > 0 and (piece := taken.recv(min(left, 32_768))):
            left -= len(piece)
