"""What people read, in English and Simplified Chinese: the one place where error sentences stand.

Each sentence says what happened and what to do next; the one about money comes from the error's
charge, so no error can leave it out. Clauses, notes and lines of the command line are phrases.
"""

from __future__ import annotations

from .configuration import CONFIGURATION
from .kinds import Wording
from .money import MONEY
from .panels import PANELS
from .phrases import PHASES, PHRASES, chinese, language, spoken
from .record import RECORD
from .requests import REQUESTS
from .results import RESULTS
from .service import SERVICE

WORDING: dict[str, Wording] = {
    **CONFIGURATION,
    **REQUESTS,
    **RECORD,
    **SERVICE,
    **RESULTS,
    **PANELS,
}
"""By the key with which an error is made."""

__all__ = ["MONEY", "PHASES", "PHRASES", "WORDING", "Wording", "chinese", "language", "spoken"]
