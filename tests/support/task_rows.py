"""Thousands of rows in a ledger, for what a long list costs."""

from __future__ import annotations

from pathlib import Path

STATES = ("completed", "failed", "unknown", "withdrawn")


def fill_ledger(home: Path, count: int, states: tuple[str, ...] = STATES) -> None:
    """Write ``count`` requests into the ledger, as another ComfyUI of this home would."""
    from seedream_api.ledger.ledger import SyncLedger

    ledger = SyncLedger(home)
    with ledger.database.write(durable=False):
        for number in range(count):
            ledger.database.execute(
                "INSERT INTO requests (state, family, model, address, prompt, asked, created_at, "
                "updated_at) VALUES (?, 'evolink', ?, 'x', ?, 1, ?, 1)",
                (
                    states[number % len(states)],
                    f"Seedream-4.{number % 3}",
                    f"Row x{number} of many, with a prompt that is longer than its line",
                    number,
                ),
            )
    ledger.close()
