"""Choose the faults of the service during a soak: every one of the sandbox, at random.

Left out are lies that no client could see through: a charge behind a clear refusal, a response that
names another's task, a finished task told as failed. Whatever else happens must be accounted for.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from support.fake_service import (
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    ExpiredLink,
    FakeService,
    Fault,
    Json,
    Oversized,
    PartialGroup,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    no_channel,
    rate_limited,
)

STOCK = 400
"""Scripted requests a route, good ones and bad ones; renewed long before they are used up."""
LONG = 300_000
"""Bytes of a response that is too long."""


class Refusing(Status):
    """A status that says for sure that the request was not accepted."""


class Failing(Status):
    """A status that leaves open what became of the request."""


class Peaceful(Fault):
    """Nothing goes wrong with this request."""


Maker = Callable[[random.Random], Fault]

_ANYWHERE: tuple[Maker, ...] = (
    lambda r: Delay(r.uniform(0.0, 0.15)),
    lambda r: DropAfterReceipt(),
    lambda r: DropBeforeReceipt(),
    lambda r: Truncated(r.random()),
    lambda r: Oversized(LONG, r.choice(("chunked", "length", "lying", "gzip"))),
    lambda r: SlowDrip(r.choice((16, 200, 4_000)), 0.005, 0.1),
    lambda r: WrongType(),
    lambda r: RedirectTo("/nowhere", r.choice((301, 302, 307))),
    lambda r: Failing(r.choice((500, 502, 503, 504, 520, 524)), r.choice((None, "<h1>bad"))),
)
_FREE: tuple[Maker, ...] = (
    lambda r: Refusing(429, headers={"Retry-After": str(r.choice((0, 1, 3)))}),
    lambda r: Json(r.choice(({}, [], "words", {"data": None}))),
    lambda r: WrongType("application/json", r.choice((b"", b"{", b"null", b"\xff\xfe"))),
)
_LINKS: tuple[Maker, ...] = (
    lambda r: ExpiredLink(r.choice((403, 404))),
    lambda r: WrongType("image/png", b"\x89PNG\r\n\x1a\n"),
)
_PAID: tuple[Maker, ...] = (
    lambda r: _refused(rate_limited(r.choice((None, 0, 2, "soon")))),
    lambda r: _refused(no_channel()),
    lambda r: Refusing(r.choice((400, 401, 402, 403, 404, 413, 422, 429))),
    lambda r: Failing(r.choice((408, 500, 502, 503, 504)), charged=True),
    lambda r: WrongType(charged=True),
    lambda r: Json(r.choice(({}, [], "words", {"data": []}, {"created": 1, "data": None}))),
    lambda r: PartialGroup((r.choice((0, 1)),)),
    lambda r: EmptyCompleted(),
)
MAKERS: Mapping[str, tuple[Maker, ...]] = {
    "generate": (*_ANYWHERE, *_PAID),
    "task": (*_ANYWHERE, *_FREE, lambda r: PartialGroup((1,)), lambda r: Refusing(404)),
    "image": (*_ANYWHERE, *_FREE, *_LINKS),
    "upload": (*_ANYWHERE, *_FREE),
    "reference": (*_ANYWHERE, *_FREE, *_LINKS),
}


def _refused(made: Status) -> Status:
    return Refusing(made.code, made.body, made.headers)


class Script:
    """Keeps the sandbox's queues filled, from one seeded source a route.

    Args:
        share: the part of all requests that something befalls, from 0 to 1.
    """

    def __init__(self, seed: int, share: float) -> None:
        self._share = share
        self._sources = {route: random.Random(f"{seed} {route}") for route in MAKERS}
        self._pushed: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, sandbox: FakeService) -> None:
        """Fill the queues of a fresh sandbox, and keep them filled."""
        self._stop.clear()
        self._pushed = {route: [] for route in MAKERS}
        self._fill(sandbox)
        self._thread = threading.Thread(target=self._keep_filled, args=(sandbox,), daemon=True)
        self._thread.start()

    def end(self, sandbox: FakeService) -> Counter[tuple[str, str]]:
        """How often what befell which route, and nothing from now on."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join()
        happened: Counter[tuple[str, str]] = Counter()
        for route, names in self._pushed.items():
            used = len(names) - sandbox.faults.waiting(route)
            happened.update((route, name) for name in names[:used] if name != Peaceful.__name__)
        sandbox.faults.clear()
        return happened

    def _keep_filled(self, sandbox: FakeService) -> None:
        while not self._stop.wait(0.02):
            self._fill(sandbox)

    def _fill(self, sandbox: FakeService) -> None:
        for route, source in self._sources.items():
            while sandbox.faults.waiting(route) < STOCK:
                bad = source.random() < self._share
                fault = source.choice(MAKERS[route])(source) if bad else Peaceful()
                self._pushed[route].append(fault.name)
                sandbox.faults.push(route, fault)
