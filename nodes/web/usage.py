"""Usage as the settings panel shows it: this day and month, per profile, per day, balances."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .settings import text_json

if TYPE_CHECKING:
    from ...seedream_api.config.settings import Settings
    from ...seedream_api.jobs.session import Session

SHOWN_DAYS = 30


async def summarize_usage(session: Session) -> dict[str, Any]:
    """Summarize what was charged, with the sums of the command ``usage``.

    Raises:
        LedgerFailed: the ledger cannot be read.
    """
    from ...seedream_api.ledger.limits import start_of
    from ...seedream_api.ledger.usage import first_day

    now = session.resources.clock.now()
    is_sandbox = session.settings.is_built_in_sandbox

    async def summarize(since: float, by: str) -> dict[str, Any]:
        found = await session.ledger.summarize_usage(since=since, by=by, sandbox=is_sandbox)
        return found.to_json()

    balances = await asyncio.to_thread(_list_balances, session.settings, start_of("month", now))
    return {
        "today": await summarize(start_of("day", now), "profile"),
        "month": await summarize(start_of("month", now), "profile"),
        "days": await summarize(first_day(SHOWN_DAYS, now), "day"),
        "shown_days": SHOWN_DAYS,
        "sandbox": is_sandbox,
        "balances": balances,
    }


def _list_balances(settings: Settings, since: float) -> list[dict[str, Any]]:
    """List what is left for each profile after its last run, and a difference since a moment."""
    from ...seedream_api.jobs.balances import list_balances

    return [
        {
            "profile": profile,
            "at": found.at,
            "left": text_json(found.balance.describe()),
            "difference": text_json(found.difference.describe())
            if found.difference and found.difference.until >= since
            else None,
        }
        for profile, found in list_balances(settings)
    ]
