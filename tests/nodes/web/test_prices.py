"""The price table that a browser reads and saves."""

from __future__ import annotations

import importlib
import json
import os
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TABLE = {
    "currency": "CNY",
    "models": {
        "Seedream-4.5": {"2K": "0.25", "4K": "0.40", "reference": "0.06"},
        "Seedream-5.0-Lite-Preferential": "0.22",
    },
}


@pytest.fixture
def prices(pack: ModuleType, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    return importlib.import_module(f"{pack.__name__}.nodes.web.prices")


def test_saved_prices_are_listed_exactly_and_read_by_the_client(prices: Any, home: Path) -> None:
    assert prices.list_prices()["prices"] == {"currency": "", "models": {}}
    prices.save_prices(TABLE)
    listed = prices.list_prices()
    assert listed["prices"] == TABLE and listed["editable"] and listed["error"] is None
    file = home / "prices.json"
    assert json.loads(file.read_text("utf-8")) == TABLE
    assert os.name != "posix" or stat.S_IMODE(file.stat().st_mode) == 0o600
    tiers = {model["id"]: model["tiers"] for model in listed["models"]}
    assert "2K" in tiers["Seedream-4.5"] and "4K" in tiers["Seedream-5.0-Lite-Preferential"]


@pytest.mark.parametrize(
    ("models", "place"),
    [
        ({"Seedream-4.5": "free"}, "Seedream-4.5"),
        ({"Seedream-4.5": {"9K": "0.25"}}, "9K"),
        ({"Seedream-4.5": {"reference": "0.06"}}, "Seedream-4.5"),
        ({"Seedream-4.5": 0.25}, "0.25"),
        ([], "models"),
    ],
)
def test_wrong_prices_are_refused_with_their_place(
    prices: Any, home: Path, models: object, place: str
) -> None:
    with pytest.raises(Exception, match=place) as caught:
        prices.save_prices({"currency": "CNY", "models": models})
    assert getattr(caught.value, "key", "") == "bad_prices"
    assert not (home / "prices.json").exists()


def test_prices_of_a_model_that_is_unknown_here_stay(prices: Any, home: Path) -> None:
    home.mkdir(exist_ok=True)
    text = json.dumps({"currency": "EUR", "models": {"Other-1": {"HD": "1.50"}}})
    (home / "prices.json").write_text(text)
    assert {"id": "Other-1", "tiers": ["HD"]} in prices.list_prices()["models"]


def test_faulty_price_file_is_listed_with_its_error(prices: Any, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "prices.json").write_text('{"currency": "CNY", "models": {"a": 1}}')
    listed = prices.list_prices()
    assert "prices.json" in listed["error"]["en"] and listed["editable"]


def test_price_table_elsewhere_is_not_changed_by_a_browser(
    prices: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "shared.json"
    other.write_text(json.dumps(TABLE))
    monkeypatch.setenv("SEEDREAM_PRICES", str(other))
    listed = prices.list_prices()
    assert listed["prices"] == TABLE and not listed["editable"]
    with pytest.raises(Exception, match="SEEDREAM_PRICES"):
        prices.save_prices({"currency": "EUR", "models": {}})
    assert json.loads(other.read_text()) == TABLE
