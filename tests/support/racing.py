"""Processes and tasks that race for one ledger."""

from __future__ import annotations

from support.driver_process import EVOLINK

SMALL = {**EVOLINK, "size": "1:1"}
