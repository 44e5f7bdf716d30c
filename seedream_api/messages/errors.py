"""Every error message by its key."""

from __future__ import annotations

from .batch import BATCH_ERRORS
from .commands import COMMANDS
from .configuration import CONFIGURATION
from .costs import COSTS
from .message import Message
from .panel import PANELS
from .profiles import PROFILES
from .requests import REQUESTS
from .results import RESULTS
from .service import SERVICE
from .storage import STORAGE

MESSAGES: dict[str, Message] = {
    **BATCH_ERRORS,
    **COMMANDS,
    **CONFIGURATION,
    **PROFILES,
    **REQUESTS,
    **STORAGE,
    **SERVICE,
    **RESULTS,
    **PANELS,
    **COSTS,
}
