"""Limits as people write them: images, or an amount with its currency."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from seedream_api.config.limits import Limit, Limits
from seedream_api.errors import ConfigurationError
from support.saved_settings import load


@pytest.mark.parametrize(
    ("text", "limit", "normal"),
    [
        ("40", Limit(Decimal(40)), "40 images"),
        ("1 image", Limit(Decimal(1)), "1 images"),
        ("40  images", Limit(Decimal(40)), "40 images"),
        ("12.50 cny", Limit(Decimal("12.50"), "CNY"), "12.50 CNY"),
        ("0.05CNY", Limit(Decimal("0.05"), "CNY"), "0.05 CNY"),
        ("0", Limit(Decimal(0)), "0 images"),
    ],
)
def test_limit_is_read_in_its_unit(home: Path, text: str, limit: Limit, normal: str) -> None:
    settings = load(home, SEEDREAM_LIMIT_DAY=text)
    assert settings.limits == Limits(day=limit)
    assert settings.text("SEEDREAM_LIMIT_DAY") == normal
    assert load(home, SEEDREAM_LIMIT_DAY=normal).limits == settings.limits


def test_limits_without_a_value_are_not_set(home: Path) -> None:
    limits = load(home).limits
    assert not limits.are_set and list(limits) == []


@pytest.mark.parametrize("text", ["-1", "4.5", "4.5 images", "12,50 CNY", "CNY 12", "many", "1e3"])
def test_limit_that_cannot_be_read_is_an_error(home: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"40 images.*12\.50 CNY") as caught:
        load(home, SEEDREAM_LIMIT_RUN=text)
    assert repr(text) in caught.value.message("zh")


def test_session_takes_limits_by_window(home: Path) -> None:
    from seedream_api import Session

    session = Session(home=home, base_url="sandbox", limits={"run": 3, "month": "5 CNY"})
    assert [f"{window}: {limit}" for window, limit in session.settings.limits] == [
        "run: 3 images",
        "month: 5 CNY",
    ]
    with pytest.raises(ConfigurationError, match="no limit per 'week'"):
        Session(home=home, base_url="sandbox", limits={"week": 3})
