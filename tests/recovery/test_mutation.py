"""That the mutation tests of the money path see what they are there to see."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.paths import PACK_ROOT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants are tried in forked processes")
def test_short_mutation_run_succeeds() -> None:
    command = [sys.executable, PACK_ROOT / "tools" / "mutation.py", "--short"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
