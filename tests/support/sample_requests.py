"""Sample requests of both families."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api import Request

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
BOTH = pytest.mark.parametrize("model", [NOW_5, LATER_40])


def cat(model: str = LATER_40, **fields: Any) -> Request:
    return Request(**{"model": model, "prompt": "A cat", **fields})
