"""Usage: what was requested and charged since a moment, by day, model or profile.

Every sent request is in exactly one line, and every line has at most one currency, so lines can be
added up: the panel, the command and its CSV show the same sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ..config.prices import Price, PriceTable
from . import statements
from .cells import Cells, to_count, to_fields, to_moment, to_text, to_texts
from .costs import format_amount
from .database import Database
from .limits import start_of
from .records import read_price
from .states import UNFINISHED_STATES

GROUPS = ("day", "model", "profile")
"""By what usage can be grouped."""


@dataclass(frozen=True)
class SentRequest:
    """A request that was sent.

    Args:
        images: those that were charged, or all requested ones while that is not known.
        is_known: whether it is known how many images were charged.
        is_open: whether it has not ended, so that this may still become known.
    """

    sent_at: float
    model: str
    profile: str
    images: int
    is_known: bool
    price: Price | None
    is_open: bool = False


@dataclass(frozen=True)
class UsageLine:
    """What the requests of a day, a model or a profile come to, in one currency.

    Args:
        key: the local day, the model's id, or the profile's name (empty: the default).
        currency: ``None`` for requests without a known price.
        possible_images: images whose charge is not known (yet).
        charged, possible: money; ``None`` without a known price.
    """

    key: str
    currency: str | None
    requests: int
    charged_images: int
    possible_images: int
    charged: Decimal | None
    possible: Decimal | None


@dataclass(frozen=True)
class Usage:
    """Usage since a moment, in lines by key."""

    since: float
    by: str
    lines: tuple[UsageLine, ...]

    @property
    def images(self) -> int:
        return sum(line.charged_images + line.possible_images for line in self.lines)

    @property
    def priced_images(self) -> int:
        """How many of the images have a known price."""
        priced = (line for line in self.lines if line.currency is not None)
        return sum(line.charged_images + line.possible_images for line in priced)

    @property
    def coverage(self) -> Decimal | None:
        """How much of the images has a known price, in percent, rounded down to one decimal.

        ``None`` without images.
        """
        if not self.images:
            return None
        return Decimal(self.priced_images * 1000 // self.images).scaleb(-1)

    def sum_costs(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Add up what was charged, and what possibly was, by currency."""
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for line in self.lines:
            if line.currency is not None:
                charged, possible = sums.get(line.currency, (Decimal(0), Decimal(0)))
                added = (charged + (line.charged or 0), possible + (line.possible or 0))
                sums[line.currency] = added
        return sums

    def to_json(self) -> dict[str, Any]:
        """Build the JSON of the command line and the panel; amounts are texts."""
        return {
            "since": datetime.fromtimestamp(self.since).date().isoformat(),
            "by": self.by,
            "lines": [self._line_json(line) for line in self.lines],
            "total": {
                "requests": sum(line.requests for line in self.lines),
                "images_charged": sum(line.charged_images for line in self.lines),
                "images_possibly_charged": sum(line.possible_images for line in self.lines),
                "costs": {
                    currency: {
                        "charged": format_amount(charged),
                        "possible": format_amount(possible),
                    }
                    for currency, (charged, possible) in self.sum_costs().items()
                },
                "coverage": {
                    "images": self.images,
                    "priced": self.priced_images,
                    "percent": None if self.coverage is None else str(self.coverage),
                },
            },
        }

    def _line_json(self, line: UsageLine) -> dict[str, Any]:
        return {
            self.by: line.key,
            "requests": line.requests,
            "images_charged": line.charged_images,
            "images_possibly_charged": line.possible_images,
            "cost": None if line.charged is None else format_amount(line.charged),
            "cost_possible": None if line.possible is None else format_amount(line.possible),
            "currency": line.currency,
        }


def first_day(days: int, now: float) -> float:
    """Compute when the first of the last so many local days began; today is the last one."""
    noon = datetime.fromtimestamp(start_of("day", now)) + timedelta(hours=12)
    return start_of("day", (noon - timedelta(days=days - 1)).timestamp())


def summarize_usage(
    database: Database,
    *,
    since: float,
    by: str,
    sandbox: bool = False,
    old_prices: PriceTable | None = None,
) -> Usage:
    """Summarize the requests that were sent since a moment.

    Args:
        since: wall-clock seconds.
        by: one of :data:`GROUPS`.
        sandbox: whether the sandbox's requests count, instead of the service's.
        old_prices: for requests whose price was not recorded; by default it stays unknown.
    """
    values = {"since": since, "is_sandbox": sandbox}
    with database.read():
        found = database.execute(statements.SENT_SINCE, values).fetchall()
    requests = [_parse(Cells(row), old_prices) for row in found]
    return Usage(since, by, tuple(_summarize(requests, by)))


def list_sent(
    database: Database, *, address: str, key_fingerprint: str, since: float
) -> list[SentRequest]:
    """List the requests that were sent with a key since a moment.

    Args:
        since: wall-clock seconds.
    """
    values = {"address": address, "key_fingerprint": key_fingerprint, "since": since}
    with database.read():
        found = database.execute(statements.SENT_WITH_KEY, values).fetchall()
    return [_parse(Cells(row), None) for row in found]


def _parse(cells: Cells, old_prices: PriceTable | None) -> SentRequest:
    """Parse a row; a cell that cannot be read counts as unknown."""
    known = cells.read("charged_images", to_count, None)
    price, model = read_price(cells), cells.read("model", to_text, None)
    if price is None and old_prices is not None:
        references = cells.read("refs", to_texts, ())
        fields = cells.read("fields", to_fields, None) or {}
        price = old_prices.find(model, fields, len(references))
    return SentRequest(
        sent_at=cells.read("sent_at", to_moment, 0.0),
        model=model or "",
        profile=cells.read("profile", to_text, None) or "",
        images=cells.read("asked", to_count, 0) if known is None else known,
        is_known=known is not None,
        price=price,
        is_open=cells.read_state() in UNFINISHED_STATES,
    )


def _summarize(requests: Iterable[SentRequest], by: str) -> list[UsageLine]:
    groups: dict[tuple[str, str], list[SentRequest]] = defaultdict(list)
    for request in requests:
        currency = request.price.currency if request.price else ""
        groups[_find_key(request, by), currency].append(request)
    return [
        _add_up(key, currency or None, groups[key, currency]) for key, currency in sorted(groups)
    ]


def _find_key(request: SentRequest, by: str) -> str:
    if by == "day":
        return datetime.fromtimestamp(request.sent_at).date().isoformat()
    return request.model if by == "model" else request.profile


def _add_up(key: str, currency: str | None, requests: Sequence[SentRequest]) -> UsageLine:
    known = [request for request in requests if request.is_known]
    open_ = [request for request in requests if not request.is_known]
    return UsageLine(
        key=key,
        currency=currency,
        requests=len(requests),
        charged_images=sum(request.images for request in known),
        possible_images=sum(request.images for request in open_),
        charged=None if currency is None else _sum_costs(known),
        possible=None if currency is None else _sum_costs(open_),
    )


def _sum_costs(requests: Iterable[SentRequest]) -> Decimal:
    costs = (request.price.of(request.images) for request in requests if request.price)
    return sum(costs, Decimal(0))
