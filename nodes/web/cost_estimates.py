"""Estimate the cost of a run in money, and find the limit that would refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...seedream_api.catalog import MAX_REFERENCES
from ...seedream_api.errors import LimitReached
from ..node_values import non_blank_lines
from .settings import error_json

if TYPE_CHECKING:
    from ...seedream_api.config.prices import Price
    from ...seedream_api.config.settings import Settings
    from ...seedream_api.jobs.batch import BatchPlan
    from ...seedream_api.jobs.resources import Resources


async def estimate_cost(
    resources: Resources, model: str, price: Price | None, images: int
) -> dict[str, Any]:
    """Estimate the cost of at most so many images, and find the limit that would refuse them."""
    from ...seedream_api.ledger.costs import NO_COST, estimate

    if not images:
        return {"cost": NO_COST.to_json(), "limit": None}
    limit = await _find_limit(resources, model, price, images)
    cost = estimate(price, images)
    return {"cost": cost.to_json(), "limit": error_json(limit) if limit else None}


async def estimate_batch_cost(resources: Resources, plan: BatchPlan) -> dict[str, Any]:
    """Estimate the cost of a batch, and find the limit that would refuse its last rows."""
    from ...seedream_api.config.prices import Price

    if not plan.images:
        return {"cost": plan.cost.to_json(), "limit": None}
    most, currency = plan.cost.estimated, plan.cost.currency
    # All rows together are checked like one request: its images are free, the rest costs it all.
    whole = None if most is None or currency is None else Price(Decimal(0), most, currency)
    model = ", ".join(sorted(plan.unpriced))
    limit = await _find_limit(resources, model, whole, plan.images)
    if limit is not None and limit.key == "limit_reached":
        limit = LimitReached("limit_refuses_rows", **limit.values)
    return {"cost": plan.cost.to_json(), "limit": error_json(limit) if limit else None}


async def _find_limit(
    resources: Resources, model: str, price: Price | None, images: int
) -> LimitReached | None:
    """Find the limit that would refuse a request now."""
    from ...seedream_api.ledger.limits import Reservation

    settings = resources.settings
    reservation = Reservation("", model, price, settings.limits, settings.profile)
    try:
        await resources.ledger.check_limits(
            reservation, images, sandbox=settings.is_built_in_sandbox
        )
    except LimitReached as error:
        return error
    return None


def find_highest_price(
    given: Mapping[str, Any], linked: set[str], count: int, settings: Settings
) -> Price | None:
    """Find the highest price that a request with linked inputs may have; ``None`` if unknown.

    A connected image may be a batch, each frame of which is a reference.

    Args:
        count: of the reference images that are known.
    """
    model = given.get("model")
    if not isinstance(model, str) or "model" in linked:
        return None
    urls = given.get("image_urls")
    count += len(non_blank_lines(urls)) if isinstance(urls, str) else 0
    has_links = any(name.startswith("image") for name in linked)
    references = MAX_REFERENCES.value if has_links else count
    if linked & {"quality", "size"}:
        return settings.prices.find_highest(model, references)
    return settings.prices.find(model, given, references)
