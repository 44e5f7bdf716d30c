"""The bench that all trials share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from .trial import Bench, memory_folder

# One seed for every run of CI: a change is judged by what it changes. The long form draws its own.
SEED = int(os.environ.get("SEEDREAM_JUDGE_SEED") or 20_261_129)
EXAMPLES = int(os.environ.get("SEEDREAM_JUDGE_EXAMPLES") or 2_000)


@pytest.fixture(scope="package")
def bench() -> Iterator[Bench]:
    """One server and one event loop. A bundle of one CA makes opening a session 25 ms shorter."""
    root = memory_folder()
    with pytest.MonkeyPatch.context() as patch:
        bundle = Path(root) / "ca.pem"
        trustme.CA().cert_pem.write_to_path(bundle)
        patch.setenv("SSL_CERT_FILE", str(bundle))
        shared = Bench(root)
        yield shared
        shared.close()


@pytest.fixture(autouse=True)
def no_log() -> Iterator[None]:
    """Thousands of trials log more than anyone reads, and a failure would print all of it."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(
        f"judge: {EXAMPLES} examples, seed {SEED} (SEEDREAM_JUDGE_EXAMPLES, SEEDREAM_JUDGE_SEED)"
    )
