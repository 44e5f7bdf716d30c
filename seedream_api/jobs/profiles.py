"""The profiles of a session: open resources for each key and address that its jobs use."""

from __future__ import annotations

import asyncio

from ..config.profiles import DEFAULT_PROFILE
from ..config.settings import Settings
from ..errors import ConfigurationError
from ..ledger.records import JobRecord
from ..ledger.states import State, key_fingerprint
from .resources import Resources

_NEEDS_KEY = (State.ACCEPTED, State.UNKNOWN, State.EMPTY)
"""States in which only a poll can find the images; others are here or have links."""


class Profiles:
    """The resources of a session by profile, opened when a job first needs them.

    Args:
        own: the resources of the session's settings; its close ends their ledger.
    """

    def __init__(self, own: Resources) -> None:
        self._own = own
        self._others: dict[str, Resources] = {}
        self._opening = asyncio.Lock()

    async def get(self, name: str | None) -> Resources:
        """Return the resources of a profile; ``None`` means that of the session.

        Raises:
            ConfigurationError: there is no such profile, or it has no key.
        """
        if name is None:
            return self._own
        settings = self._own.settings.for_profile(name)
        if settings.profile == self._own.settings.profile:
            return self._own
        _ = settings.key
        async with self._opening:
            if settings.profile not in self._others:
                self._others[settings.profile] = await self._own.open_profile(settings)
        return self._others[settings.profile]

    async def get_for_row(self, row: JobRecord, given: Resources) -> Resources:
        """Return the resources of the profile that made a row, or those that were asked for.

        Only the key that made a task can poll it. A task of another client uses ``given``.

        Raises:
            ConfigurationError: the profile was removed, and the task must be polled.
        """
        if row.state is State.INTENDED or row.key_fingerprint is None:
            return given
        if row.sent_at is None and given.settings.profile != DEFAULT_PROFILE:
            return given
        name = find_maker(row, given.settings)
        if name is not None:
            return await self.get(name)
        if row.profile is None or row.task_id is None or row.state not in _NEEDS_KEY:
            return given
        if row.profile in given.settings.profiles:  # it has another key by now
            return await self.get(row.profile)
        raise ConfigurationError(
            "profile_of_task_removed", task_id=row.task_id, profile=row.profile
        )

    @property
    def sandbox_url(self) -> str | None:
        """Where the built-in sandbox serves this session's URLs, if a profile uses it."""
        every = (self._own, *self._others.values())
        return next(
            (one.client.base_url for one in every if one.settings.is_built_in_sandbox), None
        )

    async def disconnect(self) -> None:
        """Close the connections of every profile but that of the session."""
        others, self._others = self._others, {}
        await asyncio.gather(*(one.disconnect() for one in others.values()))


def find_maker(row: JobRecord, settings: Settings) -> str | None:
    """Find the profile that made a row; ``None`` if no profile has its key and address.

    The key decides, because a profile may have another name by now.
    """
    names = dict.fromkeys((settings.profile, *settings.profiles))
    return next((name for name in names if _is_maker(settings, name, row)), None)


def _is_maker(settings: Settings, name: str, row: JobRecord) -> bool:
    try:
        chosen = settings.for_profile(name)
        key = chosen.key.get_secret_value()
    except ConfigurationError:
        return False
    return chosen.address == row.address and key_fingerprint(key) == row.key_fingerprint
