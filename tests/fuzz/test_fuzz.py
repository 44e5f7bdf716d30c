"""The short form: some hundreds of cases for every reader, found again and made small by
hypothesis. ``tools/fuzz.py`` is the long form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from support import fuzz_targets

SLOW = {"wire_answers": 60, "ledger_rows": 100}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("fuzz")
    fuzz_targets.close_ledgers()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", fuzz_targets.TARGETS)
def test_only_errors_of_ours_come_out(name: str, folder: Path) -> None:
    @settings(
        max_examples=SLOW.get(name, 250), deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.binary(min_size=8, max_size=160))
    def one(data: bytes) -> None:
        fuzz_targets.run(fuzz_targets.TARGETS[name], data, folder)

    one()
