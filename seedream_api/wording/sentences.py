"""Every sentence of an error, by the key with which the error is made."""

from __future__ import annotations

from .configuration import CONFIGURATION
from .kinds import Wording
from .panels import PANELS
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
