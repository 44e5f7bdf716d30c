"""A limit holds across processes: exactly what fits arrives at the service, even with kills.

``tools/limits.py`` is the long form.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.limit_race import LIMIT_IMAGES, Race


@pytest.mark.parametrize(("unit", "kills"), [("images", 2), ("money", 0)])
def test_processes_at_a_limit_send_exactly_what_fits(tmp_path: Path, unit: str, kills: int) -> None:
    race = Race(tmp_path, unit, processes=3, intents=30, kills=kills, seed=5)
    race.run()
    assert race.find_breaches() == []
    assert race.outcomes["killed"] == kills and race.outcomes["limit"] > 0
    assert len(race.taken) >= LIMIT_IMAGES - kills * 4  # at most four requests are sent at once
