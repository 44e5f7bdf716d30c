"""The usage that the settings panel shows equals that of the command, to the last decimal."""

from __future__ import annotations

import asyncio
import csv
import importlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.paths import PACK_ROOT
from support.usage_month import fill_month
from support.wall_clock import Clock

ZONE = "Europe/Berlin"


@pytest.fixture
def month(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Clock, Decimal]]:
    """Fill the ledger with a month, whose last hour it is; also what it cost in CNY."""
    from seedream_api.ledger.ledger import SyncLedger

    monkeypatch.setenv("TZ", ZONE)
    time.tzset()
    clock = Clock()
    ledger = SyncLedger(home, now=clock)
    charged = fill_month(ledger, clock)
    ledger.close()
    clock.now -= 1800
    yield clock, charged
    monkeypatch.undo()
    time.tzset()


def run_command(home: Path, *options: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "seedream_api", "usage", "--since", "2026-10-01", *options],
        env={"SEEDREAM_HOME": str(home), "TZ": ZONE, "PATH": ""},
        cwd=PACK_ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_panel_command_and_csv_show_the_same_sums(
    pack: ModuleType, home: Path, month: tuple[Clock, Decimal]
) -> None:
    usage = importlib.import_module(f"{pack.__name__}.nodes.web.usage")
    sessions = importlib.import_module(f"{pack.__name__}.seedream_api.jobs.session")
    clock, charged = month

    async def summarize() -> dict[str, Any]:
        async with sessions.Session(home=home, now=clock) as session:
            return await usage.summarize_usage(session)

    shown = asyncio.run(summarize())
    for by, part in (("profile", "month"), ("day", "days")):
        told = json.loads(run_command(home, "--by", by, "--json"))
        assert shown[part]["total"] == told["total"] and shown[part]["lines"] == told["lines"]
        rows = [*csv.DictReader(io.StringIO(run_command(home, "--by", by, "--csv")))]
        cny = (Decimal(row["cost"]) for row in rows if row["currency"] == "CNY")
        assert sum(cny) == charged == Decimal(shown[part]["total"]["costs"]["CNY"]["charged"])
    coverage = shown["month"]["total"]["coverage"]
    assert coverage["priced"] < coverage["images"] and Decimal(coverage["percent"]) < 100
    assert {line["profile"] for line in shown["month"]["lines"]} == {"", "studio"}
