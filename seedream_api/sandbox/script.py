"""The script of faults: which one befalls the next request on a route."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from .faults import ROUTES, Fault


class Faults:
    """The scripted faults by route, each befalling one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def push(self, route: str, fault: Fault, *, times: int = 1) -> None:
        """Script ``fault`` for the next ``times`` requests on ``route`` behind those scripted.

        Raises:
            ValueError: no such route, the fault cannot happen there, or ``times`` is under 1.
        """
        if route not in ROUTES:
            raise ValueError(f"route {route!r} is none of {', '.join(ROUTES)}")
        if route not in fault.routes:
            raise ValueError(f"{fault.name} happens on {', '.join(fault.routes)}, not on {route}")
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times}")
        with self._lock:
            self._queues[route].extend([fault] * times)

    def take(self, route: str) -> Fault | None:
        """The fault for the request that is at hand now, if any."""
        with self._lock:
            queue = self._queues[route]
            return queue.popleft() if queue else None

    def waiting(self, route: str) -> int:
        """How many scripted faults have not happened yet on ``route``."""
        with self._lock:
            return len(self._queues[route])

    def clear(self) -> None:
        """Forget all scripted faults."""
        with self._lock:
            self._queues.clear()
