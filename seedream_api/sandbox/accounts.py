"""The keys that the sandbox accepts, and its response to all others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ..config.settings import SANDBOX_KEY
from .exchange import Refusal, evolink_refusal, relay_refusal

NO_BALANCE_KEY = "sk-sandbox-no-balance"
"""Rejected as stock new-api rejects an empty account: 403 ``insufficient_user_quota``."""

NO_BALANCE_402_KEY = "sk-sandbox-no-balance-402"
"""Rejected as Evolink rejects an empty account: 402 ``insufficient_quota_error``."""


@dataclass(frozen=True)
class Account:
    """The account that a key belongs to."""

    balance: Literal["ok", "empty_403", "empty_402"] = "ok"
    name: str = "sandbox"

    def check_balance(self) -> None:
        """Raise unless the account can pay.

        Raises:
            Refusal: 403 (new-api) or 402 (Evolink), by the kind of account.
        """
        if self.balance == "empty_403":
            raise relay_refusal(
                403, "用户额度不足, 剩余额度: ＄0.000000", code="insufficient_user_quota"
            )
        if self.balance == "empty_402":
            message = "Insufficient balance. Please top up your account."
            raise evolink_refusal(402, message, "insufficient_quota_error")


ACCOUNTS: Mapping[str, Account] = MappingProxyType(
    {
        SANDBOX_KEY: Account(),
        NO_BALANCE_KEY: Account("empty_403", "empty"),
        NO_BALANCE_402_KEY: Account("empty_402", "empty"),
    }
)
"""The default accounts."""


def hash_key(key: str) -> str:
    """Hash a key for storage: enough to compare, not to use."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def parse_key(headers: Mapping[str, str]) -> str:
    """Return the Bearer key among lower-case ``headers``, or an empty string."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def unknown_key(key: str) -> Refusal:
    """Build the 401 for a missing or unknown key."""
    return relay_refusal(401, "Invalid token" if key else "No token provided")
