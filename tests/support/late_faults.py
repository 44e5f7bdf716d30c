"""Faults after the payment."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api import (
    SeedreamError,
)

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"


def failed(api_client: Any, **wish: Any) -> SeedreamError:
    with pytest.raises(SeedreamError) as caught:
        api_client.generate(**wish)
    return caught.value
