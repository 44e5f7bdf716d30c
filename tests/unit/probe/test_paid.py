"""The images of a paid probe: the smallest of each family, and what they would cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedream_api.catalog import MODELS, parse_models
from seedream_api.cli.probing import describe_offer
from seedream_api.config.prices import PriceTable, parse_prices
from seedream_api.probe.paid import plan_trials

NOW_5, LATER_5 = "Seedream-5.0-Lite-Preferential", "Seedream-5.0-Lite"


def plan(*entries: dict[str, Any], offered: tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    given = [{"family": "evolink", **entry} for entry in entries]
    models = parse_models(json.dumps(given), MODELS)
    return [(trial.model.id, *trial.tiers) for trial in plan_trials(models, offered)]


def test_trials_are_one_model_per_family_and_its_smallest_tiers() -> None:
    assert plan() == [(NOW_5, "2K", "4K"), (LATER_5, "1K", "2K")]
    reverse = {"id": "Seedream-9", "qualities": ["4K", "2K", "1.5K", "1K"]}
    assert plan(reverse, offered=("Seedream-9",)) == [("Seedream-9", "1K", "1.5K")]


def test_trials_use_models_with_references_and_may_lack_tiers() -> None:
    without = {"id": "Seedream-8", "max_references": 0}
    bare = {"id": "Seedream-9", "qualities": []}
    assert plan(without, bare, offered=("Seedream-8", "Seedream-9")) == [("Seedream-9",)]


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({NOW_5: "0.22", LATER_5: {"1K": "0.20", "reference": "0.06"}}, "0.22 CNY + 0.26 CNY"),
        ({NOW_5: "0.22"}, "not known here"),
        (None, "not known here"),
    ],
)
def test_offer_states_the_prices_of_the_table(prices: Any, said: str) -> None:
    table = PriceTable()
    if prices is not None:
        table = parse_prices(json.dumps({"currency": "CNY", "models": prices}), MODELS)
    offer = str(describe_offer(plan_trials(MODELS, None), table))
    assert said in offer and f"{NOW_5} 2K, {LATER_5} 1K" in offer
