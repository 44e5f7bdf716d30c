"""What people read, in English and Simplified Chinese: the one place where error sentences stand.

Each sentence says what happened and what to do next; the one about money comes from the error's
charge, so no error can leave it out. Clauses, notes and lines of the command line are phrases.
"""

from __future__ import annotations

from .charges import MONEY
from .errors import WORDING
from .message import Wording, joined
from .notes import ORIGINS, PHASES
from .phrases import PHRASES, chinese, language, spoken

__all__ = [
    "MONEY",
    "ORIGINS",
    "PHASES",
    "PHRASES",
    "WORDING",
    "Wording",
    "chinese",
    "joined",
    "language",
    "spoken",
]
