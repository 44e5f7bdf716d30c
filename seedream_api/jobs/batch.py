"""Generate many images: several requests at a time, their results in order."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from ..callbacks import check_callback
from ..config.settings import Settings
from ..errors import SeedreamError
from ..ledger.costs import NO_COST, UNKNOWN_COST, Cost, estimate, sum_costs
from ..ledger.states import State
from ..service.request import Request
from ..service.validation import validate_reference_urls, validate_request
from .generate import build_spec, generate
from .results import Progress, Result
from .session import Session

_PER_SUBMIT = 4
"""Requests in progress per ``SEEDREAM_MAX_SUBMITS``: a task is mostly waited for."""
_FINISHED_AHEAD = 4
"""Requests that may be begun per one in progress while an earlier one delays the order."""


@dataclass(frozen=True)
class BatchItem:
    """One request of a batch that has ended: either ``result`` or ``error`` is set.

    Args:
        index: the position of the request, from 0.
    """

    index: int
    request: Request = field(repr=False)
    result: Result | None = None
    error: SeedreamError | None = None


@dataclass(frozen=True)
class BatchPlan:
    """What a batch would do; see :func:`plan_batch`.

    Args:
        requests: how many different requests it has; equal ones share one charge.
        known: how many of them the ledger has already, by state.
        images: how many images the others may be charged for at most.
        cost: what these may cost at most; unknown if one of them has no price.
        unpriced: the models of these that have no known price.
    """

    requests: int
    known: Mapping[State, int]
    images: int
    cost: Cost = UNKNOWN_COST
    unpriced: frozenset[str] = frozenset()

    @property
    def to_send(self) -> int:
        """How many requests would be sent."""
        return self.requests - sum(self.known.values())


async def generate_all(
    requests: Iterable[Request],
    session: Session | None = None,
    *,
    keep_going: bool = False,
    timeout_s: float | None = None,
    progress: Callable[[int, Progress], None] | None = None,
    profile: str | None = None,
) -> AsyncGenerator[BatchItem]:
    """Generate the images of many requests and yield each outcome, in the order of the requests.

    Each request is paid for once, as with :func:`generate`: a batch that was interrupted sends only
    what is missing when it runs again. Requests are taken from the iterable as places become free,
    and no more are begun while the caller does not take what has ended::

        async with aclosing(generate_all(requests, session, keep_going=True)) as items:
            async for item in items:
                print(item.index, item.result or item.error)

    Args:
        requests: read in a thread, so a generator may open the reference files of one request after
            another. A list or tuple is checked as a whole before the first request is sent.
        session: an open session; by default one is opened from the environment.
        keep_going: whether to yield a failed request with its error and continue. Otherwise no
            further request is begun, and the error is raised when its turn comes.
        timeout_s: seconds to wait for each request; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with the index of a request and every step of it.
        profile: the name of the key and address to use; by default those of the session.

    Raises:
        SeedreamError: a request failed and ``keep_going`` is off; see :func:`generate`.
    """
    if session is None:
        async with Session() as own:
            inner = generate_all(
                requests, own, keep_going=keep_going, timeout_s=timeout_s, progress=progress,
                profile=profile,
            )  # fmt: skip
            async with aclosing(inner) as items:
                async for item in items:
                    yield item
        return
    session.check_usable()
    check_callback(progress)
    if isinstance(requests, Sequence):
        check_requests(requests, (await session.profiles.get(profile)).settings)
    run = _BatchRun(iter(requests), session, timeout_s, progress, profile)
    try:
        while item := await run.next_item(begin_more=lambda: keep_going or not run.has_failed):
            if item.error is not None and not keep_going:
                raise item.error
            yield item
    finally:
        await run.cancel()


def check_requests(requests: Iterable[Request], settings: Settings) -> None:
    """Check requests without sending anything.

    Args:
        settings: those of the profile that they are sent with.

    Raises:
        InvalidRequest: a request has a value that its model does not take.
    """
    for request in requests:
        validate_request(request, settings.models)
        validate_reference_urls(request.references, settings)


async def plan_batch(
    requests: Iterable[Request], session: Session, *, profile: str | None = None
) -> BatchPlan:
    """Find what a batch would send and what it may be charged; nothing is sent or uploaded.

    Args:
        requests: read in a thread.
        profile: the name of the key and address to use; by default those of the session.

    Raises:
        InvalidRequest: a request has a value that its model does not take.
        ConfigurationError: there is no key for the address.
        LedgerFailed: the ledger cannot be read.
    """
    resources = await session.profiles.get(profile)
    settings, ledger = resources.settings, resources.ledger
    reuse = settings.is_on("SEEDREAM_REUSE")
    source, seen = iter(requests), set[str]()
    known, images, costs, unpriced = Counter[State](), 0, list[Cost](), set[str]()
    while (request := await asyncio.to_thread(next, source, None)) is not None:
        spec = await build_spec(validate_request(request, settings.models), resources)
        if spec.fingerprint in seen:
            continue
        seen.add(spec.fingerprint)
        row = await ledger.find_reusable(spec.fingerprints, reuse=reuse)
        if row is not None:
            known[row.state] += 1
        else:
            images += request.asked_images()
            price = settings.prices.find(spec.model, spec.fields, len(spec.references))
            costs.append(estimate(price, spec.asked))
            unpriced |= set() if price else {spec.model}
    cost = sum_costs(costs) if costs else NO_COST
    return BatchPlan(len(seen), known, images, cost, frozenset(unpriced))


class _BatchRun:
    """The requests of a batch that have begun and were not yielded yet, in order."""

    def __init__(
        self,
        source: Iterator[Request],
        session: Session,
        timeout_s: float | None,
        progress: Callable[[int, Progress], None] | None,
        profile: str | None,
    ) -> None:
        self._source: Iterator[Request] | None = source
        self._session, self._timeout_s = session, timeout_s
        self._progress, self._profile = progress, profile
        self._at_once = _PER_SUBMIT * int(session.settings.number("SEEDREAM_MAX_SUBMITS"))
        self._begun = deque[asyncio.Task[BatchItem]]()
        self._count = 0
        self.has_failed = False
        """Whether a request that has ended failed."""

    async def next_item(self, begin_more: Callable[[], bool]) -> BatchItem | None:
        """Return the next outcome in order; ``None`` after the last."""
        while True:
            while begin_more() and self._has_room():
                await self._begin_next()
            if not self._begun:
                return None
            if self._begun[0].done():
                return self._begun.popleft().result()
            running = {task for task in self._begun if not task.done()}
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    def _has_room(self) -> bool:
        running = sum(not task.done() for task in self._begun)
        is_ahead = len(self._begun) >= _FINISHED_AHEAD * self._at_once
        return self._source is not None and running < self._at_once and not is_ahead

    async def _begin_next(self) -> None:
        assert self._source is not None, "the caller has checked"  # noqa: S101
        request = await asyncio.to_thread(next, self._source, None)
        if request is None:
            self._source = None
            return
        self._begun.append(asyncio.create_task(self._generate(self._count, request)))
        self._count += 1

    async def _generate(self, index: int, request: Request) -> BatchItem:
        def report(step: Progress) -> None:
            if self._progress is not None:
                self._progress(index, step)

        try:
            result = await generate(
                request, self._session, timeout_s=self._timeout_s, progress=report,
                profile=self._profile,
            )  # fmt: skip
        except SeedreamError as error:
            self.has_failed = True
            return BatchItem(index, request, error=error)
        return BatchItem(index, request, result=result)

    async def cancel(self) -> None:
        """Withdraw what was not sent; what was sent is recorded by the session."""
        for task in self._begun:
            task.cancel()
        await asyncio.gather(*self._begun, return_exceptions=True)
