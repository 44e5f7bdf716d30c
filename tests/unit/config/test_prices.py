"""The price table: exact amounts, the place of each mistake, and nothing where nothing is known."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seedream_api.catalog import MODELS
from seedream_api.config.prices import Price, check_prices
from seedream_api.errors import ConfigurationError
from seedream_api.messages import to_chinese
from support.saved_settings import load

TABLE: dict[str, Any] = {
    "currency": "CNY",
    "models": {
        "Seedream-4.5": {"1K": "0.20", "2K": "0.25", "4K": "0.40"},
        "Seedream-5.0-Lite-Preferential": "0.22",
        "Seedream-5.5": {"2K": "0.25", "reference": "0.06"},
    },
}


@pytest.mark.parametrize(
    ("model", "fields", "references", "price"),
    [
        ("Seedream-4.5", {"size": "16:9", "quality": "4K"}, 3, ("0.40", "0")),
        ("Seedream-5.0-Lite-Preferential", {"size": "4K"}, 0, ("0.22", "0")),
        ("Seedream-5.5", {"size": "2K"}, 3, ("0.25", "0.18")),
    ],
)
def test_price_is_found_by_tier_and_references(
    model: str, fields: dict[str, str], references: int, price: tuple[str, str]
) -> None:
    found = check_prices(TABLE, MODELS).find(model, fields, references)
    assert found == Price(Decimal(price[0]), Decimal(price[1]), "CNY")


@pytest.mark.parametrize(
    ("model", "fields"),
    [("Seedream-4.0", {"quality": "2K"}), ("Seedream-5.5", {"size": "1K"}), (None, {})],
)
def test_price_that_is_not_in_the_table_is_unknown(
    model: str | None, fields: dict[str, str]
) -> None:
    assert check_prices(TABLE, MODELS).find(model, fields, 0) is None


def test_cost_adds_references_once_and_is_exact() -> None:
    price = Price(Decimal("0.1"), Decimal("0.06"), "CNY")
    assert (price.of(3), price.of(0)) == (Decimal("0.36"), Decimal(0))


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"currency": "yuan"}, "currency", "three capital letters"),
        ({"prices": {}}, "the file", "'prices' is not one of currency, models"),
        ({"models": []}, "models", "not a JSON object"),
        ({"models": {"Seedream-4.5": 0.25}}, "models['Seedream-4.5']", "the number 0.25"),
        ({"models": {"Seedream-4.5": {"2K": "0,25"}}}, "models['Seedream-4.5']['2K']", "'0,25'"),
        ({"models": {"Seedream-4.5": {"2k": "0.25"}}}, "models['Seedream-4.5']", "1K, 2K, 4K"),
        ({"models": {"X": {"reference": "1"}}}, "models['X']", "no price of an image"),
        ({"models": {"X": "-1"}}, "models['X']", "'-1'"),
        ({"models": {"X": {" ": "1"}}}, "models['X']", "' ' is not one of a text"),
        ({"models": {"X": None}}, "models['X']", "None"),
    ],
)
def test_mistake_is_reported_with_its_place(
    change: dict[str, Any], place: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(place)) as caught:
        check_prices({**TABLE, **change}, MODELS)
    text = caught.value.args[0]
    assert text.startswith(f"{place}: ") and reason in text
    assert to_chinese(text) != str(text)


def test_table_keeps_its_values_when_it_is_written_and_read() -> None:
    table = check_prices(TABLE, MODELS)
    assert table.to_json() == TABLE
    assert check_prices(json.loads(json.dumps(table.to_json())), MODELS) == table


# ---- the file ----


def test_prices_come_from_the_data_folder(home: Path) -> None:
    before = load(home)
    assert not before.prices.models
    home.mkdir(exist_ok=True)
    (home / "prices.json").write_text(json.dumps(TABLE), "utf-8")
    assert load(home).prices.currency == "CNY" and load(home) != before


def test_prices_may_be_in_a_named_file(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    with pytest.raises(ConfigurationError, match=r"studio\.json"):
        _ = load(home, SEEDREAM_PRICES=str(path)).prices
    path.write_text(json.dumps(TABLE), "utf-8")
    found = load(home, SEEDREAM_PRICES=str(path)).prices
    assert found.models.keys() == TABLE["models"].keys()


def test_prices_of_the_models_file_yield_to_the_table(home: Path) -> None:
    home.mkdir()
    entries = [
        {"id": name, "family": "preferential", "prices": {"2K": "0.30", "4K": "0.5"}}
        for name in ("Seedream-5.5", "Seedream-6")
    ]
    (home / "models.json").write_text(json.dumps(entries), "utf-8")
    assert not load(home).prices.models  # without a currency no price is known
    (home / "prices.json").write_text(json.dumps(TABLE), "utf-8")
    prices = load(home).prices
    found = [prices.find(name, {"size": "2K"}, 1) for name in ("Seedream-5.5", "Seedream-6")]
    assert found == [
        Price(Decimal("0.25"), Decimal("0.06"), "CNY"),
        Price(Decimal("0.30"), Decimal(0), "CNY"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"currency": "CNY", "currency": "USD"}', "'currency': it is there twice"),
        ('{"currency": "CNY",\n "models" {}}', "line 2"),
        ("[" * 100_000, "prices.json"),
    ],
    ids=["twice", "syntax", "deep"],
)
def test_prices_file_without_a_table_is_an_error(home: Path, text: str, reason: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "prices.json").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        _ = load(home).prices
    assert reason in caught.value.message("en")
