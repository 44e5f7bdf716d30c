"""The total of a batch before it starts: rows, the most it may cost, and what its limits leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..config.limits import LIMIT_SETTINGS
from ..jobs.batch import BatchPlan
from ..ledger.costs import format_amount
from ..ledger.limits import Spending, format_spending
from ..ledger.states import STORED_STATES
from ..messages import Text, localize


@dataclass(frozen=True)
class BatchTotal:
    """The total of a batch.

    Args:
        rows: how many rows the file has.
        spent: what has been spent in the window of each limit that is set.
    """

    rows: int
    plan: BatchPlan
    spent: Sequence[Spending]

    def describe(self) -> list[str]:
        """Describe it in lines, in the language of the command line."""
        return [
            localize(text) for text in (self._describe_plan(), *map(_describe_left, self.spent))
        ]

    def to_json(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "requests": plan.requests,
            "known": {state.value: count for state, count in plan.known.items()},
            "to_send": plan.to_send,
            "images": plan.images,
            "limits": [
                {"window": one.window, "limit": str(one.limit), "left": f"{_count_left(one):f}"}
                for one in self.spent
            ],
        }

    def _describe_plan(self) -> Text:
        plan = self.plan
        stored = sum(count for state, count in plan.known.items() if state in STORED_STATES)
        total = Text(
            "batch_total", rows=self.rows, stored=stored, to_send=plan.to_send, images=plan.images
        )
        if plan.cost.estimated is None or plan.cost.currency is None:
            return total
        amount = f"{format_amount(plan.cost.estimated)} {plan.cost.currency}"
        return Text("batch_total_cost", total=total, amount=amount)


def _describe_left(spending: Spending) -> Text:
    limit = spending.limit
    return Text(
        "batch_limit_left",
        name=LIMIT_SETTINGS[spending.window],
        left=format_spending(_count_left(spending), limit),
        limit=format_spending(limit.amount, limit),
    )


def _count_left(spending: Spending) -> Decimal:
    return max(spending.limit.amount - spending.used, Decimal(0))
