"""Whatever the service says: paid once, never called free, nothing left behind."""

from __future__ import annotations

import pytest

from .conftest import EXAMPLES, SEED
from .grammar import FAMILIES
from .invariant import examine
from .trial import Bench


@pytest.mark.parametrize("family", FAMILIES)
def test_any_response_is_paid_once_and_delivered(family: str, bench: Bench) -> None:
    examine(bench, examples=EXAMPLES // len(FAMILIES), number=SEED, families=(family,))
