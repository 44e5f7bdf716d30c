"""The sandbox with what only tests need: scripted faults, a request log, and image hosts."""

from seedream_api.sandbox import (
    ACCOUNTS,
    NO_BALANCE_402_KEY,
    NO_BALANCE_KEY,
    SANDBOX_KEY,
    Account,
)

from .fault_queue import FaultQueue
from .faults import (
    ROUTES,
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    ExpiredLink,
    Fault,
    Json,
    Oversized,
    PartialGroup,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    no_channel,
    rate_limited,
)
from .files_api import FILES_KEY
from .image_hosts import HOST_KEY
from .request_log import LoggedRequest
from .server import FakeService

__all__ = [
    "ACCOUNTS",
    "FILES_KEY",
    "HOST_KEY",
    "NO_BALANCE_402_KEY",
    "NO_BALANCE_KEY",
    "ROUTES",
    "SANDBOX_KEY",
    "Account",
    "Delay",
    "DropAfterReceipt",
    "DropBeforeReceipt",
    "EmptyCompleted",
    "ExpiredLink",
    "FakeService",
    "Fault",
    "FaultQueue",
    "Json",
    "LoggedRequest",
    "Oversized",
    "PartialGroup",
    "RedirectTo",
    "SlowDrip",
    "Status",
    "Truncated",
    "WrongType",
    "no_channel",
    "rate_limited",
]
