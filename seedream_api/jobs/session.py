"""The session that programs open: settings in code, and what the ledger and the account hold."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ..catalog import Model
from ..config.given_settings import SettingValue, load_given_settings
from ..config.limits import to_limit_settings
from ..config.paths import expand_user
from ..config.settings import Settings
from ..errors import ConfigurationError, InvalidRequest, ResultUnavailable
from ..images.decode import probe
from ..images.file_names import to_safe_name
from ..images.saving import save_into_folder
from ..ledger.browsing import JobView
from ..ledger.states import State
from ..messages import Text
from ..network.clock import Clock
from ..redaction import Hidden
from ..service.balance import Balance, get_balance
from ..service.references import PictureReference, UrlReference, file_reference
from .collect import resume
from .load_urls import LoadedUrl, load_urls
from .results import Result
from .session_base import SessionBase
from .upload_references import upload_references


class Session(SessionBase):
    """Open resources and running jobs; an async context manager for one event loop.

    What is not given comes from the environment and the settings file of the data folder::

        async with Session(api_key=key, home="~/studio") as session:
            result = await generate(request, session)

    Sessions with different keys or addresses may be open at once; those with the same data folder
    share their stored results, and a request that two of them make is paid for once.

    Args:
        settings: more settings by name, such as ``{"SEEDREAM_TIMEOUT_S": 600}``; or the result of
            :func:`load_settings`, with no other argument. They never change while it is open.
        api_key: the key; an empty text means no key, whatever the environment says.
        base_url: the address of the service, or ``sandbox``.
        home: the data folder with the ledger and the images.
        proxy: the proxy for all requests.
        limits: the most that may be spent, by window: ``{"run": 40, "day": "12.50 CNY"}``; the
            windows are ``run`` (this session), ``day`` and ``month``.
        clock: returns monotonic seconds.
        sleep: waits for this many seconds.
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
        given = Hidden(DEEPSPACE_API_KEY=api_key, DEEPSPACE_BASE_URL=base_url, SEEDREAM_PROXY=proxy)
        del api_key, proxy  # a traceback that shows local variables shows neither
        given.update(to_limit_settings(limits or {}))
        super().__init__(_to_settings(settings, given, home), Clock(clock, sleep, now))

    async def jobs(
        self,
        *,
        state: State | str | Iterable[State | str] = (),
        since: datetime | timedelta | float | None = None,
        limit: int | None = None,
    ) -> list[JobView]:
        """List the jobs of the ledger, newest first, with their images; nothing is sent.

        Args:
            state: only jobs in this state, or in one of several; by default all but the forgotten.
            since: only jobs made since a time, within a span before now, or since these wall-clock
                seconds. A time without a time zone is local.
            limit: at most this many jobs.

        Raises:
            InvalidRequest: a state is unknown.
            LedgerFailed: the ledger cannot be read.
        """
        self.check_usable()
        words = (state,) if isinstance(state, str) else tuple(state)
        first = self._to_timestamp(since)
        return await self.ledger.list_views(_to_states(words), since=first, limit=limit)

    def _to_timestamp(self, since: datetime | timedelta | float | None) -> float | None:
        if isinstance(since, timedelta):
            return self.resources.clock.now() - since.total_seconds()
        return since.timestamp() if isinstance(since, datetime) else since

    async def resume(self, job: JobView | int | str) -> Result:
        """Fetch the missing images of one job; nothing is submitted.

        Args:
            job: a job of :meth:`jobs`, its number, or the id of its task.

        Raises:
            InvalidRequest: there is no such job, or it was never sent.
            SeedreamError: how the request ended, or why nothing can be fetched.
        """
        self.check_usable()
        row = await self.ledger.find_record(_to_name(job))
        if row is None:
            raise InvalidRequest("entry_unknown", given=_to_name(job))
        return await resume(row, self)

    async def forget(self, job: JobView | int | str) -> None:
        """Forget one job: the same inputs are then sent, and paid for, again.

        Args:
            job: a job of :meth:`jobs`, its number, or the id of its task.

        Raises:
            InvalidRequest: there is no such job, or a running process works on it.
        """
        self.check_usable()
        row = await self.ledger.find_record(_to_name(job))
        if row is None:
            raise InvalidRequest("entry_unknown", given=_to_name(job))
        try:
            await self.ledger.forget_idle(row.id)
        except ValueError:
            raise InvalidRequest("entry_running", given=_to_name(job)) from None

    async def balance(self) -> Balance:
        """Ask what is left for the key; free.

        Raises:
            ConfigurationError: there is no key for the address.
            ApiRefused: the service refused the key.
            TransportFailed: there was no usable response.
        """
        self.check_usable()
        return await get_balance(self.client)

    def models(self) -> Mapping[str, Model]:
        """Return the known models by id, with those that ``SEEDREAM_MODELS`` adds.

        Raises:
            ConfigurationError: the file of ``SEEDREAM_MODELS`` cannot be used.
        """
        return self.settings.models

    async def upload(
        self, *images: str | os.PathLike[str] | PictureReference
    ) -> list[UrlReference]:
        """Upload images once, for use as references of any number of requests; free.

        An image whose earlier upload is still valid is not uploaded again.

        Args:
            images: image files, or what :func:`file_reference` and :func:`pixels_reference` return.

        Raises:
            InvalidRequest: no image is given, or the service would not accept one.
            ConfigurationError: no upload target that returns URLs is configured.
            UploadFailed: an upload failed.
        """
        self.check_usable()
        pictures = [
            one
            if isinstance(one, PictureReference)
            else await asyncio.to_thread(file_reference, one, position)
            for position, one in enumerate(images, start=1)
        ]
        return [UrlReference(sent.url) for sent in await upload_references(pictures, self)]

    async def download(
        self, urls: Sequence[str], folder: str | os.PathLike[str]
    ) -> list[LoadedUrl]:
        """Download images into a folder, and return one outcome per URL, in order; free.

        A result image that is in the store is copied instead. Nothing is overwritten.

        Args:
            folder: made if it is missing.

        Raises:
            InvalidRequest: there is no URL.
            LedgerFailed: the folder cannot be written.
        """
        self.check_usable()
        out = expand_user(Path(folder))
        with tempfile.TemporaryDirectory(prefix="seedream-", ignore_cleanup_errors=True) as scratch:
            loaded = await load_urls(urls, self, Path(scratch))
            return [await asyncio.to_thread(_keep, one, out) for one in loaded]


def _keep(loaded: LoadedUrl, folder: Path) -> LoadedUrl:
    """Copy a downloaded image into a folder, under the name that its URL has.

    Raises:
        LedgerFailed: the folder cannot be written.
    """
    if loaded.path is None:
        return loaded
    try:
        probe(loaded.path, name=loaded.name)
    except ResultUnavailable as error:
        return replace(loaded, path=None, error=error)
    name = to_safe_name(Path(loaded.name.partition("?")[0]).stem)
    return replace(loaded, path=save_into_folder(loaded.path, folder, name))


def _to_settings(
    settings: Settings | Mapping[str, SettingValue | None] | None,
    given: Mapping[str, str | None],
    home: str | os.PathLike[str] | None,
) -> Settings:
    """Combine the arguments of a session.

    Raises:
        ConfigurationError: a setting is given twice, unknown, or not allowed.
    """
    named = [name for name, value in given.items() if value is not None]
    if isinstance(settings, Settings):
        twice = named or ["home"] * (home is not None)
    else:
        twice = [name for name in named if name in (settings or {})]
    if twice:
        raise ConfigurationError("setting_given_twice", given=", ".join(twice))
    if isinstance(settings, Settings):
        return settings
    return load_given_settings(Hidden({**(settings or {}), **given}), home)


def _to_states(words: Sequence[State | str]) -> tuple[State, ...]:
    """Convert words to states.

    Raises:
        InvalidRequest: one is not a state.
    """
    every = {state.value: state for state in State}
    unknown = [word for word in words if word not in every]
    if unknown:
        raise InvalidRequest(
            "value_malformed",
            field="state",
            given=unknown[0],
            reason=Text("no_such_state"),
            allowed=", ".join(every),
        )
    return tuple(every[word] for word in words)


def _to_name(job: JobView | int | str) -> str:
    return str(job.row.id if isinstance(job, JobView) else job)
