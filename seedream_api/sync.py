"""The client without ``async``: for scripts, notebooks, Flask and other threaded programs.

    from seedream_api import Request
    from seedream_api.sync import Session, generate

    with Session() as session:
        result = generate(Request(model="Seedream-4.5", prompt="A cat on the grass"), session)

Names, arguments, results and errors are those of ``seedream_api``. A session runs its event loop in
a thread: it works inside a running loop too, several threads may use it at once, and callbacks are
called in its thread. Ctrl-C withdraws what was not sent; leaving the session waits for the response
to what was sent and records it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

from typing_extensions import Self

from .catalog import Model
from .config.given_settings import SettingValue
from .config.settings import Settings
from .errors import InvalidRequest
from .jobs import batch as batches, collect as collecting, generate as generating
from .jobs.batch import BatchItem, BatchPlan
from .jobs.load_urls import LoadedUrl
from .jobs.loop_thread import LoopThread
from .jobs.results import Progress, Result
from .jobs.session import Session as AsyncSession
from .ledger.browsing import JobView
from .ledger.states import State
from .redaction import Hidden
from .service.balance import Balance
from .service.references import PictureReference, UrlReference
from .service.request import Request

__all__ = ["Session", "collect", "collect_all", "generate", "generate_all", "plan_batch"]

T = TypeVar("T")


class Session:
    """Open resources and running jobs, as :class:`seedream_api.Session`; a context manager.

    Use it in the process that opened it: a worker that is forked opens its own.

    Args:
        settings: more settings by name, or the result of :func:`seedream_api.load_settings`.
        api_key: the key; an empty text means no key, whatever the environment says.
        base_url: the address of the service, or ``sandbox``.
        home: the data folder with the ledger and the images.
        proxy: the proxy for all requests.
        limits: the most that may be spent, by window: ``{"run": 40, "day": "12.50 CNY"}``.
        clock: returns monotonic seconds.
        sleep: waits for this many seconds, as a coroutine.
        now: returns wall-clock seconds, for times that are recorded or shown.

    Raises:
        ConfigurationError: a setting is unknown, given twice, or not allowed.
        LedgerFailed: on opening, if the data folder cannot be used.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, SettingValue | None] | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        home: str | os.PathLike[str] | None = None,
        proxy: str | None = None,
        limits: Mapping[str, str | int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        secrets = Hidden(api_key=api_key, proxy=proxy)
        del api_key, proxy  # a traceback that shows local variables shows neither
        self._session = AsyncSession(
            settings,
            base_url=base_url,
            home=home,
            limits=limits,
            clock=clock,
            sleep=sleep,
            now=now,
            **secrets,
        )
        self._thread: LoopThread | None = None
        self._closing = threading.Lock()

    @property
    def settings(self) -> Settings:
        """The settings, which never change while the session is open."""
        return self._session.settings

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Open the session, for programs in which it does not fit into a ``with`` block.

        Raises:
            InvalidRequest: it was opened before.
            LedgerFailed: the data folder cannot be used.
        """
        if self._thread is not None:
            raise InvalidRequest("session_used")
        self._thread = LoopThread()
        try:
            self._thread.run(self._session.__aenter__())
        except BaseException:
            self._thread.stop()
            raise
        return self

    def close(self, *, patience_s: float | None = None) -> None:
        """End all jobs and release the resources; closing twice is allowed.

        Args:
            patience_s: seconds to wait for responses to what was sent; by default as long as each
                request waits.
        """
        with self._closing:
            if self._thread is None or self._thread.is_stopped:
                return
            try:
                self._thread.run(self._session.close(patience_s=patience_s))
            finally:
                self._thread.stop()

    def run(self, work: Callable[[AsyncSession], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function with the asynchronous session, and return its result.

        Raises:
            InvalidRequest: the session is not open, or this thread or process cannot use it.
        """
        if self._thread is None:
            raise InvalidRequest("session_not_open")
        self._thread.check_usable()
        return self._thread.run(work(self._session))

    def jobs(
        self,
        *,
        state: State | str | Iterable[State | str] = (),
        since: datetime | timedelta | float | None = None,
        limit: int | None = None,
    ) -> list[JobView]:
        """List the jobs of the ledger; see :meth:`seedream_api.Session.jobs`."""
        return self.run(lambda session: session.jobs(state=state, since=since, limit=limit))

    def resume(self, job: JobView | int | str) -> Result:
        """Fetch the missing images of one job; see :meth:`seedream_api.Session.resume`."""
        return self.run(lambda session: session.resume(job))

    def forget(self, job: JobView | int | str) -> None:
        """Forget one job; see :meth:`seedream_api.Session.forget`."""
        return self.run(lambda session: session.forget(job))

    def balance(self) -> Balance:
        """Ask what is left for the key; see :meth:`seedream_api.Session.balance`."""
        return self.run(lambda session: session.balance())

    def models(self) -> Mapping[str, Model]:
        """Return the known models by id; see :meth:`seedream_api.Session.models`."""
        return self._session.models()

    def upload(self, *images: str | os.PathLike[str] | PictureReference) -> list[UrlReference]:
        """Upload images for use as references; see :meth:`seedream_api.Session.upload`."""
        return self.run(lambda session: session.upload(*images))

    def download(self, urls: Sequence[str], folder: str | os.PathLike[str]) -> list[LoadedUrl]:
        """Download images into a folder; see :meth:`seedream_api.Session.download`."""
        return self.run(lambda session: session.download(urls, folder))


def generate(
    request: Request,
    session: Session | None = None,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Generate images and pay once; see :func:`seedream_api.generate`.

    Args:
        session: an open session; by default one is opened for this call from the environment.
        wait: whether to wait for the images; if not, the result is ``submitted`` as soon as the
            task id is known.
        timeout_s: seconds to wait; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with every step, in the session's thread.
        profile: the name of the key and address to use; by default those of the session.

    Raises:
        SeedreamError: see ``errors``; the message says whether money was spent.
    """
    if session is None:
        with Session() as own:
            return generate(
                request, own, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
            )
    return session.run(
        lambda opened: generating.generate(
            request,
            opened,
            wait=wait,
            timeout_s=timeout_s,
            progress=progress,
            profile=profile,
        )
    )


def generate_all(
    requests: Iterable[Request],
    session: Session | None = None,
    *,
    keep_going: bool = False,
    timeout_s: float | None = None,
    progress: Callable[[int, Progress], None] | None = None,
    profile: str | None = None,
) -> Generator[BatchItem]:
    """Generate the images of many requests and yield each outcome, in the order of the requests.

    Leaving the loop early begins no further request; see :func:`seedream_api.generate_all`.

    Raises:
        SeedreamError: a request failed and ``keep_going`` is off.
    """
    options: dict[str, Any] = {
        "keep_going": keep_going, "timeout_s": timeout_s, "progress": progress, "profile": profile
    }  # fmt: skip
    if session is None:
        with Session() as own:
            yield from generate_all(requests, own, **options)
        return
    started: list[AsyncGenerator[BatchItem]] = []

    async def take(opened: AsyncSession) -> BatchItem | None:
        if not started:
            started.append(batches.generate_all(requests, opened, **options))
        return await anext(started[0], None)

    async def stop(opened: AsyncSession) -> None:
        for items in started:
            await items.aclose()

    try:
        while (item := session.run(take)) is not None:
            yield item
    finally:
        session.run(stop)


def plan_batch(
    requests: Iterable[Request], session: Session, *, profile: str | None = None
) -> BatchPlan:
    """Find what a batch would send and what it may be charged; see :func:`seedream_api.plan_batch`.

    Nothing is sent or uploaded.
    """
    return session.run(lambda opened: batches.plan_batch(requests, opened, profile=profile))


def collect(
    task_id: str,
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch the images of one task; see :func:`seedream_api.collect`."""
    return session.run(
        lambda opened: collecting.collect(
            task_id, opened, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
        )
    )


def collect_all(
    task_ids: Sequence[str],
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[str, Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch several tasks concurrently; see :func:`seedream_api.collect_all`."""
    return session.run(
        lambda opened: collecting.collect_all(
            task_ids, opened, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
        )
    )
