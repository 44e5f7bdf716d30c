"""Limits of spending: a request is reserved in the transaction that makes it *sending*.

What counts is every request that was sent: the images that were charged, or all requested ones
until that is known. *refused*, *failed* and *withdrawn* count for nothing; stored results are not
sent. All processes of a ledger share the sums. A request in the sandbox counts only there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ..config.limits import LIMIT_SETTINGS, Limit, Limits
from ..config.normalization import SANDBOX
from ..config.prices import Price
from ..errors import LimitReached
from ..messages import Text
from . import statements
from .costs import format_amount, from_units, to_units
from .database import Database
from .queries import read_owned, read_record
from .records import JobRecord, require_readable
from .states import State
from .transitions import set_state


@dataclass(frozen=True)
class Reservation:
    """What a request may spend, and what it counts for.

    Args:
        run: the ComfyUI prompt or the command that sends it.
        price: ``None`` if unknown.
        profile: the name of its key and address; empty for the default.
    """

    run: str
    model: str
    price: Price | None
    limits: Limits
    profile: str = ""


@dataclass(frozen=True)
class Spending:
    """What has been spent in the window of a limit.

    Args:
        window: ``run``, ``day`` or ``month``.
        used: in the unit of the limit.
    """

    window: str
    limit: Limit
    used: Decimal


def reserve(database: Database, row_id: int, reservation: Reservation) -> JobRecord:
    """Make a row *sending* if that fits every limit, in one durable transaction.

    Raises:
        LimitReached: it does not fit; the row stays as it is.
    """
    price = reservation.price
    values = {
        "id": row_id,
        "run": reservation.run,
        "profile": reservation.profile or None,
        "currency": price.currency if price else None,
        "image_price": to_units(price.image) if price else None,
        "references_price": to_units(price.references) if price else None,
    }
    with database.write(durable=True):
        row = read_owned(database, row_id)
        if reservation.limits.are_set:
            database.lock("limits")
        _check_limits(database, reservation, row.asked, sandbox=row.address == SANDBOX)
        set_state(database, row, State.SENDING)
        database.execute(statements.SET_RESERVATION, values)
        return require_readable(read_record(database, row_id))


def check_limits(
    database: Database, reservation: Reservation, asked: int, *, sandbox: bool
) -> None:
    """Check whether a request would fit now: before references are uploaded, or for an estimate.

    Args:
        asked: the most images that may be charged.
        sandbox: whether it is sent to the sandbox.

    Raises:
        LimitReached: it does not fit.
    """
    with database.read():
        _check_limits(database, reservation, asked, sandbox=sandbox)


def list_spending(database: Database, limits: Limits, run: str, *, sandbox: bool) -> list[Spending]:
    """List what each limit that is set has left.

    Args:
        sandbox: whether the sandbox's requests count, instead of the service's.
    """
    with database.read():
        return list(_read_spending(database, limits, run, sandbox=sandbox))


def _read_spending(
    database: Database, limits: Limits, run: str, *, sandbox: bool
) -> Iterator[Spending]:
    now = database.now()
    for window, limit in limits:
        values = {
            "run": run,
            "since": start_of(window, now),
            "currency": limit.currency,
            "is_sandbox": sandbox,
        }
        statement = statements.SPENT_IN_RUN if window == "run" else statements.SPENT_SINCE
        found = database.execute(statement, values).fetchone()
        images = Decimal(found["images"] or 0)
        yield Spending(window, limit, from_units(found["cost"] or 0) if limit.currency else images)


def start_of(window: str, now: float) -> float:
    """Compute when the local day or month of a moment began, in wall-clock seconds.

    Nothing bounds the window above: a request that is dated later, because the clock was put
    back, still counts.
    """
    moment = datetime.fromtimestamp(now)
    day = 1 if window == "month" else moment.day
    start = moment.replace(day=day, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return start.timestamp()


def end_of(window: str, now: float) -> float:
    """Compute when the local day or month of a moment ends, in wall-clock seconds."""
    start = datetime.fromtimestamp(start_of(window, now))
    # Noon of a later day is in that day whatever the daylight saving does.
    later = start + timedelta(days=32 if window == "month" else 1, hours=12)
    return start_of(window, later.timestamp())


def _check_limits(
    database: Database, reservation: Reservation, asked: int, *, sandbox: bool
) -> None:
    spent = _read_spending(database, reservation.limits, reservation.run, sandbox=sandbox)
    for spending in spent:
        needed = _needed(reservation, spending, asked)
        if spending.used + needed > spending.limit.amount:
            raise _limit_error(spending, needed, database.now())


def _needed(reservation: Reservation, spending: Spending, asked: int) -> Decimal:
    """Compute the most that a request may add to a limit.

    Raises:
        LimitReached: the limit is in money, and the request has no price in its currency.
    """
    limit, price = spending.limit, reservation.price
    if not limit.currency:
        return Decimal(asked)
    name = LIMIT_SETTINGS[spending.window]
    if price is None:
        model = reservation.model
        raise LimitReached("limit_without_price", name=name, limit=str(limit), model=model)
    if price.currency != limit.currency:
        raise LimitReached(
            "limit_in_other_currency", name=name, limit=str(limit), currency=price.currency
        )
    return price.of(asked)


def _limit_error(spending: Spending, needed: Decimal, now: float) -> LimitReached:
    limit, window = spending.limit, spending.window
    return LimitReached(
        "limit_reached",
        name=LIMIT_SETTINGS[window],
        limit=format_spending(limit.amount, limit),
        used=format_spending(spending.used, limit),
        needed=format_spending(needed, limit),
        window=Text(f"window_{window}"),
        next=_describe_end(window, now),
    )


def _describe_end(window: str, now: float) -> str:
    if window == "run":
        return Text("next_run")
    end = datetime.fromtimestamp(end_of(window, now))
    return f"{end:%Y-%m-%d %H:%M}"


def format_spending(amount: Decimal, limit: Limit) -> str:
    """Format an amount in the unit of a limit."""
    if limit.currency:
        return f"{format_amount(amount)} {limit.currency}"
    return Text("images_count", count=f"{amount:f}")
