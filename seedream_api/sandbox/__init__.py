"""The free sandbox: a local service as strict as the real one, which draws its result images.

It follows what the service and Evolink document, not what this client happens to send.
"""

from .accounts import ACCOUNTS, NO_BALANCE_402_KEY, NO_BALANCE_KEY, SANDBOX_KEY, Account
from .generation import SIMULATIONS
from .server import Sandbox

__all__ = [
    "ACCOUNTS",
    "NO_BALANCE_402_KEY",
    "NO_BALANCE_KEY",
    "SANDBOX_KEY",
    "SIMULATIONS",
    "Account",
    "Sandbox",
]
