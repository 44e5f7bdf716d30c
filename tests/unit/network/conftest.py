"""Fixtures that the tests of this folder share."""

from __future__ import annotations

import pytest

from support.request_kit import Pools, stand_in


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> Pools:
    return stand_in(monkeypatch, Pools())
