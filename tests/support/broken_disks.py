"""Disks that fail."""

from __future__ import annotations

from support.driver_process import EVOLINK, PREFERENTIAL

REQUESTS = {"evolink": EVOLINK, "preferential": PREFERENTIAL}


def number_of(steps: list[str], name: str, moment: str = "") -> int:
    """The number of the first step that begins so, and ends so."""
    numbered = enumerate(steps, 1)
    return next(i for i, s in numbered if s.startswith(name) and s.endswith(moment))
