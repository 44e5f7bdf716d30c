"""Ask the relay what is left of the account; free.

Stock new-api relays state quota units (https://docs.newapi.pro/api/token-usage). Where that is
closed, the older form of their dashboard states amounts (its source, ``controller/billing.go``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..messages import Text
from .free_requests import FreeResponse, ask_free

if TYPE_CHECKING:
    from .client import SeedreamClient

BALANCE_PATH = "/api/usage/token"
GRANTED_PATH = "/dashboard/billing/subscription"
BILLED_PATH = "/dashboard/billing/usage"
STOCK_UNITS_PER_DOLLAR = 500_000
"""Quota units of a default new-api relay; an operator may have set another number."""
UNLIMITED_AMOUNT = 100_000_000
"""What the dashboard states for a key without a quota."""


@dataclass(frozen=True)
class Balance:
    """What is left for a key, as far as the relay states it.

    Args:
        units: quota units of the relay; ``None`` if it does not state them.
        is_unlimited: whether the key has no quota; the account may still run empty.
        used: what the key has used in all, which a top-up does not change: quota units, or the
            amount if the relay states no units.
        amount: what is left in the currency that the relay displays, which it does not name, if it
            states no units.
    """

    units: float | None = None
    is_unlimited: bool = False
    used: float | None = None
    amount: float | None = None

    @property
    def dollars(self) -> float | None:
        """The units in US dollars at the default rate of new-api relays, which may differ here."""
        return None if self.units is None else self.units / STOCK_UNITS_PER_DOLLAR

    @property
    def left(self) -> float | None:
        """The units, or else the amount; ``None`` if the relay states neither."""
        return self.amount if self.units is None else self.units

    def describe(self) -> Text:
        """Describe what is left."""
        if self.is_unlimited:
            return Text("balance_unlimited")
        if self.units is not None:
            dollars = f"{self.dollars:.2f}"
            return Text("balance", units=f"{self.units:.0f}", dollars=dollars)
        if self.amount is not None:
            return Text("balance_amount", amount=f"{self.amount:.2f}")
        return Text("balance_unknown")


async def get_balance(client: SeedreamClient) -> Balance:
    """Ask what is left for the key of a client; an empty :class:`Balance` if the relay is silent.

    Raises:
        ApiRefused: the service refused the key.
        ReadFailed: there was no usable response.
        NotSent: the service could not be reached.
    """
    response = await ask_free(client, BALANCE_PATH)
    if response.status in (401, 403) and response.refusal is not None:
        raise response.refusal
    stated = _read_units(response)
    return stated if stated != Balance() else await _ask_dashboard(client)


def _read_units(response: FreeResponse) -> Balance:
    data = response.body.get("data")
    if response.status != 200 or not isinstance(data, dict):
        return Balance()
    data = cast("dict[str, Any]", data)
    return Balance(
        units=_to_number(data.get("total_available")),
        is_unlimited=bool(data.get("unlimited_quota")),
        used=_to_number(data.get("total_used")),
    )


async def _ask_dashboard(client: SeedreamClient) -> Balance:
    """Ask for the amounts; an error there has the status 200 too, and no number."""
    granted = _to_number((await ask_free(client, GRANTED_PATH)).body.get("hard_limit_usd"))
    if granted is None:
        return Balance()
    hundredths = _to_number((await ask_free(client, BILLED_PATH)).body.get("total_usage"))
    used = None if hundredths is None else hundredths / 100
    if granted >= UNLIMITED_AMOUNT:
        return Balance(is_unlimited=True, used=used)
    return Balance() if used is None else Balance(used=used, amount=granted - used)


def _to_number(stated: Any) -> float | None:
    is_number = isinstance(stated, (int, float)) and not isinstance(stated, bool)
    return float(stated) if is_number else None
