"""A session whose event loop runs in a thread."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

from typing_extensions import Self

from ..catalog import Model
from ..config.given_settings import SettingValue
from ..config.settings import Settings
from ..errors import InvalidRequest
from ..jobs.load_urls import LoadedUrl
from ..jobs.loop_thread import LoopThread
from ..jobs.results import Result
from ..jobs.session import Session as AsyncSession
from ..ledger.browsing import JobView
from ..ledger.states import State
from ..redaction import Hidden
from ..service.balance import Balance
from ..service.references import PictureReference, UrlReference

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
