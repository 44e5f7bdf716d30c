"""That the mutation tests of the money path see what they are there to see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACK_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants are tried in forked processes")
def test_one_mutant_of_each_module_is_killed_and_one_that_changes_nothing_lives() -> None:
    command = [sys.executable, PACK_ROOT / "benchmarks" / "mutation.py", "--short"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
