"""Ask the relay what is left of the account; free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .refusals import classify_rejection

if TYPE_CHECKING:
    from ..network.transport import HttpResponse
    from .client import SeedreamClient

BALANCE_PATH = "/api/usage/token"
STOCK_UNITS_PER_DOLLAR = 500_000
"""Quota units of a default new-api relay; an operator may have set another number."""


@dataclass(frozen=True)
class Balance:
    """What is left for a key, as far as the relay states it.

    Args:
        units: quota units of the relay; ``None`` if it does not state them.
        is_unlimited: whether the key has no quota; the account may still run empty.
        used: quota units that the key has used in all, which a top-up does not change.
    """

    units: float | None = None
    is_unlimited: bool = False
    used: float | None = None

    @property
    def dollars(self) -> float | None:
        """The units in US dollars at the default rate of new-api relays, which may differ here."""
        return None if self.units is None else self.units / STOCK_UNITS_PER_DOLLAR


async def get_balance(client: SeedreamClient) -> Balance:
    """Ask what is left for the key of a client; an empty :class:`Balance` if the relay is silent.

    Raises:
        ApiRefused: the service refused the key.
        ReadFailed: there was no usable response.
        NotSent: the service could not be reached.
    """
    response = await client.transport.ask(
        f"{client.base_url}{BALANCE_PATH}", headers=client.headers()
    )
    body = _parse_body(response)
    if response.status in (401, 403):
        refusal = classify_rejection(
            response.status,
            body,
            request_id=response.request_id,
            secrets=(client.settings.key.get_secret_value(),),
        )
        if refusal is not None:
            raise refusal
    data = body.get("data")
    if response.status != 200 or not isinstance(data, dict):
        return Balance()
    data = cast("dict[str, Any]", data)
    return Balance(
        units=_to_units(data.get("total_available")),
        is_unlimited=bool(data.get("unlimited_quota")),
        used=_to_units(data.get("total_used")),
    )


def _to_units(stated: Any) -> float | None:
    is_number = isinstance(stated, (int, float)) and not isinstance(stated, bool)
    return float(stated) if is_number else None


def _parse_body(response: HttpResponse) -> dict[str, Any]:
    try:
        body: Any = response.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
