"""When result links expire: as they state, else as their family's documentation does."""

from __future__ import annotations

import pytest

from seedream_api.catalog import Family
from seedream_api.service.link_expiry import FAMILY_LIFE_S, link_expiry

SEEN = 1_790_000_000.0
URL = "https://tos.example.com/a.jpeg"
AMZ = "20260923T120000Z"
"""1_790_164_800 seconds since the epoch."""


def test_every_family_has_a_life() -> None:
    assert set(FAMILY_LIFE_S) == set(Family)


@pytest.mark.parametrize(
    ("family", "life"),
    [("preferential", 7_200), ("evolink", 86_400), (None, None), ("other", None)],
)
def test_plain_link_lives_as_long_as_its_family_says(
    family: str | None, life: float | None
) -> None:
    assert link_expiry(URL, family, SEEN) == (None if life is None else SEEN + life)


@pytest.mark.parametrize(
    ("query", "at"),
    [
        (f"X-Amz-Date={AMZ}&X-Amz-Expires=3600&X-Amz-Signature=a", 1_790_168_400.0),
        (f"X-Tos-Expires=86400&X-Tos-Date={AMZ}", 1_790_251_200.0),
        ("Expires=1790000600&Signature=a", 1_790_000_600.0),
        ("x-expires=1790000600&x-signature=a", SEEN + 7_200),
        ("expires=1790000600.250", 1_790_000_600.25),
        ("expires=3600", SEEN + 7_200),
        (f"X-Amz-Date={AMZ}", SEEN + 7_200),
        ("X-Amz-Date=yesterday&X-Amz-Expires=3600", SEEN + 7_200),
        ("expires=1000000000", SEEN + 7_200),
        ("expires=1000000001", 1_000_000_001.0),
        ("expires=soon", SEEN + 7_200),
        ("expires=nan", SEEN + 7_200),
    ],
)
def test_signed_link_says_it_itself(query: str, at: float) -> None:
    assert link_expiry(f"{URL}?{query}", "preferential", SEEN) == at
