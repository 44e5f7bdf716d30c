"""Usage as the settings panel shows it: today, this month, per profile, and the last days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

    return {
        "today": await summarize(start_of("day", now), "profile"),
        "month": await summarize(start_of("month", now), "profile"),
        "days": await summarize(first_day(SHOWN_DAYS, now), "day"),
        "shown_days": SHOWN_DAYS,
        "sandbox": is_sandbox,
    }
