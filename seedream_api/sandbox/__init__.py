"""A strict stand-in of the service on loopback: nothing it makes costs anything.

Built from what the service and its neighbours document, not from what a client happens to send.
"""

from .accounts import ACCOUNTS, NO_BALANCE_402_KEY, NO_BALANCE_KEY, SANDBOX_KEY, Account
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
from .image_host import HOST_KEY
from .journal import TakenRequest
from .script import Faults
from .server import Sandbox

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
    "Fault",
    "Faults",
    "Json",
    "Oversized",
    "PartialGroup",
    "RedirectTo",
    "Sandbox",
    "SlowDrip",
    "Status",
    "TakenRequest",
    "Truncated",
    "WrongType",
    "no_channel",
    "rate_limited",
]
