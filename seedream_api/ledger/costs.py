"""What a request costs: its price in the ledger, and the cost that people and scripts read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..config.prices import Price

_DIGITS = 6
"""Decimal places of the amounts in the ledger, which are integers."""


def to_units(amount: Decimal) -> int:
    """Convert an amount to millionths, as the ledger holds it."""
    return int(amount.scaleb(_DIGITS))


def from_units(units: int) -> Decimal:
    """Convert millionths to an amount."""
    return Decimal(units).scaleb(-_DIGITS)


def format_amount(amount: Decimal) -> str:
    """Format an amount exactly, with at least two decimal places."""
    text = f"{amount:f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


@dataclass(frozen=True)
class Cost:
    """The cost of one or more requests; ``None`` where it is not known, never 0.

    Args:
        estimated: the most that it may be: all requested images, and the references.
        charged: what it was, as soon as the outcome is known.
        currency: ``None`` where nothing has a price.
    """

    estimated: Decimal | None = None
    charged: Decimal | None = None
    currency: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return {
            "estimated": _format(self.estimated),
            "charged": _format(self.charged),
            "currency": self.currency,
        }


UNKNOWN_COST = Cost()
NO_COST = Cost(Decimal(0), Decimal(0))
"""The cost of a stored result."""


def estimate(price: Price | None, images: int) -> Cost:
    """Estimate the most that so many images may cost; unknown without a price."""
    return Cost(price.of(images), None, price.currency) if price else UNKNOWN_COST


def _format(amount: Decimal | None) -> str | None:
    return None if amount is None else format_amount(amount)


def sum_costs(costs: Iterable[Cost]) -> Cost:
    """Add costs; a sum with an unknown part, or of two currencies, is not known."""
    given = list(costs)
    currencies = {cost.currency for cost in given if cost.currency}
    if len(currencies) > 1:
        return Cost()
    return Cost(
        _sum([cost.estimated for cost in given]),
        _sum([cost.charged for cost in given]),
        next(iter(currencies), None),
    )


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
