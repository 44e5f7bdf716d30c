"""Every sentence of an error, by the key with which the error is made."""

from __future__ import annotations

from .configuration import CONFIGURATION
from .message import Wording
from .panel import PANELS
from .requests import REQUESTS
from .results import RESULTS
from .service import SERVICE
from .storage import RECORD

WORDING: dict[str, Wording] = {
    **CONFIGURATION,
    **REQUESTS,
    **RECORD,
    **SERVICE,
    **RESULTS,
    **PANELS,
}
