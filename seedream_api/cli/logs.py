"""Log lines on stderr."""

from __future__ import annotations

import logging
import sys

from ..redaction import clean


class CleanFormatter(logging.Formatter):
    """Formats log lines without secrets and without terminal control codes."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def show_logs(verbosity: int) -> None:
    """Write log lines to stderr.

    Args:
        verbosity: 0 for warnings; 1 also for what is waited for; 2 for every step.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    if verbosity:
        level = logging.INFO if verbosity == 1 else logging.DEBUG
        logging.getLogger("seedream").setLevel(level)
