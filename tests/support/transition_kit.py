"""Rows of the tests of transitions."""

from __future__ import annotations

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import JobSpec, State

ADDRESS = "https://api.deepspaceai.net"


NOW = 1_790_000_000.0


def wish(name: str, model: str = "Seedream-4.5") -> JobSpec:
    return JobSpec(
        fingerprint=name,
        family="evolink",
        model=model,
        address=ADDRESS,
        key_fingerprint="print",
        prompt="一只猫 " + name,
        fields={"size": "1:1", "n": 2},
        references=("sha256:aa", "url:https://example.com/a.png"),
        seed=2**63 + 5,
        asked=2,
        notes=("a note",),
    )


def row_in(ledger: SyncLedger, state: State, name: str) -> JobRecord:
    """A row of mine that stands at ``state``, however it came there."""
    row = ledger.claim(wish(name), f"key of {name}")
    with ledger.database.write(durable=False):
        values = {"id": row.id, "state": state.value}
        ledger.database.execute("UPDATE requests SET state = :state WHERE id = :id", values)
    return ledger.get_record(row.id)
