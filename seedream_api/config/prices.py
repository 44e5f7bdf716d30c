"""The user's price table: what one image of a model costs, in which currency.

The service publishes no prices, so the table holds what the user reads on the bill. Amounts are
``Decimal`` and written as texts, because JSON numbers are read as binary fractions. What the table
does not name has no known price, which is not a price of 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

from ..catalog import Model
from ..catalog.entry_rules import is_amount
from ..messages import Text

REFERENCE = "reference"
"""The key of the price of one reference image."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_ALL_TIERS = ""


@dataclass(frozen=True)
class Price:
    """What one request costs: each image, and all its reference images together."""

    image: Decimal
    references: Decimal
    currency: str

    def of(self, images: int) -> Decimal:
        """Compute the cost of so many images; without an image, references cost nothing."""
        return self.image * images + self.references if images else Decimal(0)


@dataclass(frozen=True)
class ModelPrices:
    """The prices of one model.

    Args:
        tiers: the price of an image by tier (1K, 2K, 4K); under ``""`` that of every other tier.
        reference: the price of one reference image; 0 where the table does not name one.
    """

    tiers: Mapping[str, Decimal]
    reference: Decimal = Decimal(0)

    def to_json(self) -> str | dict[str, str]:
        if set(self.tiers) == {_ALL_TIERS} and not self.reference:
            return str(self.tiers[_ALL_TIERS])
        reference = {REFERENCE: str(self.reference)} if self.reference else {}
        return {tier: str(amount) for tier, amount in self.tiers.items()} | reference


@dataclass(frozen=True)
class PriceTable:
    """Prices by model id, all in one currency; empty where the user has entered none."""

    currency: str = ""
    models: Mapping[str, ModelPrices] = field(default_factory=dict[str, ModelPrices])

    def find(self, model: str | None, fields: Mapping[str, Any], references: int) -> Price | None:
        """Find the price of a request; ``None`` where it is unknown.

        Args:
            fields: the request's body, whose ``quality``, or else ``size``, is the tier.
            references: how many reference images the request has.
        """
        prices = self.models.get(model or "")
        if prices is None:
            return None
        tier = fields.get("quality") or fields.get("size")
        amount = prices.tiers.get(str(tier), prices.tiers.get(_ALL_TIERS))
        if amount is None:
            return None
        return Price(amount, prices.reference * references, self.currency)

    def find_highest(self, model: str, references: int) -> Price | None:
        """Find the price at a model's most expensive tier; ``None`` where it is unknown."""
        prices = self.models.get(model)
        if prices is None:
            return None
        return Price(max(prices.tiers.values()), prices.reference * references, self.currency)

    def to_json(self) -> dict[str, Any]:
        """Build the JSON form that :func:`check_prices` reads."""
        models = {model: prices.to_json() for model, prices in self.models.items()}
        return {"currency": self.currency, "models": models}


def parse_prices(text: str, models: Mapping[str, Model]) -> PriceTable:
    """Parse a table, and add the prices of the models file to it.

    Args:
        models: the known models by id.

    Raises:
        ValueError: it is not a price table; the text says where and why.
    """
    table = check_prices(json.loads(text, object_pairs_hook=_refuse_repeated), models)
    added = {
        model.id: parse_model_prices(model.prices, f"SEEDREAM_MODELS[{model.id!r}]", model)
        for model in models.values()
        if model.prices is not None
    }
    return PriceTable(table.currency, MappingProxyType({**added, **table.models}))


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; JSON would silently keep the last of two equal names."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(Text("note_of", name=repr(name), note=Text("named_twice")))
        found[name] = value
    return found


def check_prices(data: Any, models: Mapping[str, Model]) -> PriceTable:
    """Check a table, ``{"currency": "CNY", "models": {<id>: <price> | {<tier>: <price>}}}``.

    Models that this installation does not know may have prices: others share the file.

    Raises:
        ValueError: with the exact place of the first mistake and what is allowed there.
    """
    table = _check_object(data, Text("the_file"), ("currency", "models"))
    currency = table.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise _mistake("currency", Text("not_currency", given=repr(currency)))
    entries = _check_object(table.get("models", {}), "models")
    prices = {
        model_id: parse_model_prices(entry, f"models[{model_id!r}]", models.get(model_id))
        for model_id, entry in entries.items()
    }
    return PriceTable(currency, MappingProxyType(prices))


def parse_model_prices(entry: Any, place: str, model: Model | None = None) -> ModelPrices:
    """Check the prices of one model: a price, or an object of prices by tier and ``reference``.

    Args:
        place: where the entry is, for messages.
        model: the model, if it is known; then each tier must be one of its tiers.

    Raises:
        ValueError: with the exact place of the first mistake and what is allowed there.
    """
    if not isinstance(entry, Mapping):
        return ModelPrices({_ALL_TIERS: _parse_amount(entry, place)})
    tiers = (model.qualities or model.sizes) if model else ()
    allowed = (*tiers, REFERENCE) if tiers else ()
    amounts = {
        name: _parse_amount(amount, f"{place}[{name!r}]")
        for name, amount in _check_object(entry, place, allowed).items()
    }
    reference = amounts.pop(REFERENCE, Decimal(0))
    if not amounts:
        raise _mistake(place, Text("no_image_price"))
    return ModelPrices(MappingProxyType(amounts), reference)


def _check_object(given: Any, place: str, allowed: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise _mistake(place, Text("not_json_object"))
    found = cast("Mapping[Any, Any]", given)
    for name in _unknown_names(found, allowed):
        names = ", ".join(allowed) or Text("a_text")
        raise _mistake(place, Text("unknown_name", name=repr(name), allowed=names))
    return found


def _unknown_names(given: Mapping[Any, Any], allowed: tuple[str, ...]) -> Iterator[Any]:
    for name in given:
        is_known = name in allowed if allowed else isinstance(name, str) and name.strip()
        if not is_known:
            yield name


def _parse_amount(given: Any, place: str) -> Decimal:
    if isinstance(given, (int, float)):
        raise _mistake(place, Text("price_is_number", given=repr(given)))
    if not is_amount(given):
        raise _mistake(place, Text("not_amount", given=repr(given)))
    return Decimal(given)


def _mistake(place: str, reason: str) -> ValueError:
    return ValueError(Text("note_of", name=place, note=reason))
