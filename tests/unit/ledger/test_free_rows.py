"""Which rows cost nothing: those of a sandbox, and no others."""

from __future__ import annotations

import pytest

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, key_fingerprint
from seedream_api.sandbox import SANDBOX_KEY


@pytest.mark.parametrize(
    ("address", "key", "is_free"),
    [
        ("sandbox", SANDBOX_KEY, True),
        ("http://127.0.0.1:8189", SANDBOX_KEY, True),
        ("http://localhost:8189", SANDBOX_KEY, True),
        ("http://127.0.0.1:8189", "sk-paid", False),
        ("https://relay.example", SANDBOX_KEY, False),
        ("https://relay.example", "sk-paid", False),
    ],
)
def test_row_is_free_only_of_a_sandbox(
    ledger: SyncLedger, address: str, key: str, is_free: bool
) -> None:
    spec = JobSpec(
        fingerprint="f", family="evolink", model="Seedream-4.0", address=address,
        key_fingerprint=key_fingerprint(key), prompt="A cat", fields={}, references=(), seed=0,
        asked=1,
    )  # fmt: skip
    assert ledger.claim(spec, "idempotency").is_free is is_free
