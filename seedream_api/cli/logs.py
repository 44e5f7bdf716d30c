"""Log lines on stderr."""

from __future__ import annotations

import logging
import sys

from ..redaction import clean


class CleanFormatter(logging.Formatter):
    """Formats log lines without secrets and without terminal control codes."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def show_logs() -> None:
    """Write warnings to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
