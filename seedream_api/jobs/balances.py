"""Read the balance after charged runs, and compare its decrease with the recorded costs.

A relay states quota units, and does not state what one is worth, or amounts in a currency that it
does not name. The first decrease that belongs to requests with a known price teaches the rate (of
units in US dollars the usual one is assumed); a later one that differs from it is reported. The
readings are in ``balance.json``, by key and address.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from ..config.private_file import write_private_json
from ..config.settings import Settings
from ..errors import ConfigurationError, SeedreamError
from ..ledger.costs import format_amount
from ..ledger.states import STORED_STATES, key_fingerprint
from ..ledger.usage import SentRequest
from ..messages import Text
from ..service.balance import STOCK_UNITS_PER_DOLLAR, Balance, get_balance
from .job import Job
from .resources import Resources
from .results import Origin
from .session_base import SessionBase

log: logging.Logger = logging.getLogger("seedream")

BALANCE_FILE = "balance.json"
SETTLE_S = 10.0
"""Seconds between a charge and the reading: relays add up charges every few seconds."""
INTERVAL_S = 60.0
"""Seconds between two readings of one key."""
_DAY_S = 86_400.0
TOLERANCE = 0.25
"""The fraction of the expected decrease by which the real one may differ."""
_STOCK_RATES: Mapping[str, float] = MappingProxyType({"USD": STOCK_UNITS_PER_DOLLAR})


@dataclass(frozen=True)
class Difference:
    """A decrease of the balance that the recorded costs do not explain; times are wall-clock."""

    since: float
    until: float
    taken: float
    """By how many quota units the balance fell, or by which amount."""
    expected: float
    """What the recorded costs come to in the same measure."""
    cost: str
    is_amount: bool = False

    def describe(self) -> Text:
        digits = 2 if self.is_amount else 0
        return Text(
            "balance_difference_amount" if self.is_amount else "balance_difference",
            since=_format_time(self.since),
            until=_format_time(self.until),
            taken=f"{self.taken:.{digits}f}",
            expected=f"{self.expected:.{digits}f}",
            cost=self.cost,
        )


@dataclass(frozen=True)
class KeyBalance:
    """The latest balance of a key, and from where its decrease is measured."""

    at: float
    balance: Balance
    since: float
    """When the measurement began: no request of the key was unfinished then."""
    before: Balance
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    """Quota units, or the relay's amount, per unit of a currency, as learned."""
    difference: Difference | None = None
    """The latest one that was found."""


class BalanceWatch:
    """Reads the balance after charged runs of a session, later and without delaying them.

    Args:
        report: called with a large difference.
    """

    def __init__(self, session: SessionBase, report: Callable[[Difference], object]) -> None:
        self._session = session
        self._report = report
        self.readings: dict[str, asyncio.Task[None]] = {}
        """The planned or last reading by profile."""
        self._next_at: dict[str, float] = {}
        """When the next reading of a profile is due at the earliest, in monotonic seconds."""

    def note_change(self, job: Job) -> None:
        """Plan a reading if a job was charged; call it on the session's loop."""
        settings = job.resources.settings
        if settings.is_sandbox or job.origin not in (Origin.NEW, Origin.RESUMED):
            return
        planned = self.readings.get(settings.profile)
        is_planned = planned is not None and not planned.done()
        if is_planned or job.row is None or job.row.state not in STORED_STATES:
            return
        self.readings[settings.profile] = asyncio.create_task(self._read_later(job.resources))

    async def _read_later(self, resources: Resources) -> None:
        clock, profile = resources.clock, resources.settings.profile
        due = self._next_at.get(profile, 0.0)
        await clock.sleep(max(SETTLE_S, due - clock.monotonic()))
        self._next_at[profile] = clock.monotonic() + INTERVAL_S
        if self._session.is_closing:
            return
        try:
            difference = await read_balance(resources)
        except SeedreamError as error:
            log.info("the balance was not read: %s", error.summary("en"))
            return
        if difference is not None:
            self._report(difference)


async def read_balance(resources: Resources) -> Difference | None:
    """Ask what is left for a key, record it, and return a large difference since the last time.

    Raises:
        SeedreamError: the relay could not be asked, or the reading not be recorded.
    """
    settings, clock = resources.settings, resources.clock
    balance = await get_balance(resources.client)
    if balance == Balance():  # the relay is silent
        return None
    name, now = _key_name(settings), clock.now()
    before = (await asyncio.to_thread(_read_file, settings.home)).get(name)
    sent = await resources.ledger.list_sent(
        address=settings.address,
        key_fingerprint=key_fingerprint(settings.key.get_secret_value()),
        since=before.since if before else now - _DAY_S,
    )
    if before is None and any(request.is_open for request in sent):
        return None  # what these are charged later would not be measured
    known = before or KeyBalance(now, balance, now, balance)
    after = compare(replace(known, at=now, balance=balance), sent)
    await _record(settings, name, after)
    return after.difference if after.difference != known.difference else None


def compare(now: KeyBalance, sent: Sequence[SentRequest]) -> KeyBalance:
    """Compare the decrease of a balance with the requests that were sent since it was measured.

    Returns:
        The same with a learned rate or a difference; measured from now on, unless a request has
        not ended yet.
    """
    if any(request.is_open for request in sent):
        return now
    later = replace(now, since=now.at, before=now.balance)
    if not all(request.is_known for request in sent):
        return later
    taken, cost = _find_decrease(now.before, now.balance), _sum_costs(sent)
    if taken is None or taken <= 0 or cost is None:
        return later
    amount, currency = cost
    is_amount = now.balance.units is None
    rate = now.rates.get(currency, None if is_amount else _STOCK_RATES.get(currency))
    if rate is None:
        return replace(later, rates={**now.rates, currency: taken / float(amount)})
    expected = rate * float(amount)
    if abs(taken - expected) <= TOLERANCE * expected:
        return later
    shown = f"{format_amount(amount)} {currency}"
    found = Difference(now.since, now.at, taken, expected, shown, is_amount)
    return replace(later, difference=found)


def _find_decrease(before: Balance, after: Balance) -> float | None:
    if (before.units is None) != (after.units is None):  # the relay changed the measure
        return None
    if before.used is not None and after.used is not None:
        return after.used - before.used
    if before.left is not None and after.left is not None:
        return before.left - after.left
    return None


def _sum_costs(sent: Sequence[SentRequest]) -> tuple[Decimal, str] | None:
    """Add up what requests cost; ``None`` if a price is unknown, or there is nothing to compare."""
    charged = [request for request in sent if request.images]
    prices = [request.price for request in charged if request.price is not None]
    currencies = {price.currency for price in prices}
    if len(prices) < len(charged) or len(currencies) != 1:
        return None
    costs = (price.of(one.images) for price, one in zip(prices, charged, strict=True))
    total = sum(costs, Decimal(0))
    return (total, currencies.pop()) if total else None


# --- the file -----------------------------------------------------------------------------------


def list_balances(settings: Settings) -> Iterator[tuple[str, KeyBalance]]:
    """List the profiles whose balance was read, with what is left. Blocks."""
    known = _read_file(settings.home)
    for profile in settings.profiles:
        try:
            found = known.get(_key_name(settings.for_profile(profile)))
        except ConfigurationError:  # it has no key
            continue
        if found is not None:
            yield profile, found


async def _record(settings: Settings, name: str, found: KeyBalance) -> None:
    """Record a balance; another process may have recorded that of another key meanwhile."""

    def write() -> None:
        known = {**_read_file(settings.home), name: found}
        content = {one: asdict(balance) for one, balance in known.items()}
        write_private_json(settings.home / BALANCE_FILE, content)

    await asyncio.to_thread(write)


def _read_file(home: Path) -> dict[str, KeyBalance]:
    """Read the file; what cannot be read counts as never asked."""
    try:
        found: Any = json.loads((home / BALANCE_FILE).read_text("utf-8"))
        entries = cast("dict[str, dict[str, Any]]", found).items()
        return {name: _parse(entry) for name, entry in entries}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _parse(entry: Mapping[str, Any]) -> KeyBalance:
    values = dict(entry)
    for name in ("balance", "before"):
        values[name] = Balance(**values[name])
    if values["difference"]:
        values["difference"] = Difference(**values["difference"])
    return KeyBalance(**values)


def _key_name(settings: Settings) -> str:
    """Name a key in the file without revealing it."""
    return f"{key_fingerprint(settings.key.get_secret_value())} {settings.address}"


def _format_time(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
