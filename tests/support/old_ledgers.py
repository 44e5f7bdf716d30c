"""Ledgers as version 0.1 wrote them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

COST_COLUMNS = (
    "profile", "run", "currency", "image_price", "references_price", "charged_images",
)  # fmt: skip


def take_back_to_0_1(path: Path) -> None:
    """Leave the tables and the version that 0.1 had."""
    with closing(sqlite3.connect(path)) as db:
        for statement in (
            "DROP TABLE shared_files",
            "DROP TABLE reference_files",
            "DROP TRIGGER note_upload",
            "DROP TRIGGER note_result",
            "DROP INDEX requests_by_spelling",
            "DROP INDEX requests_by_url_reference",
            "DROP TABLE given_urls",
            "DROP TABLE responses",
            "DROP INDEX requests_by_sending",
            "DROP INDEX requests_by_run",
            *(f"ALTER TABLE requests DROP COLUMN {name}" for name in COST_COLUMNS),
            "PRAGMA user_version = 3",
        ):
            db.execute(statement)
        db.commit()


def spell_as_0_1(
    path: Path,
    *,
    address: str | None = None,
    references: tuple[str, ...] | None = None,
    keep_prompt: bool = True,
) -> None:
    """Rewrite the only row with this address and these references, and the fingerprint of both."""
    from seedream_api.ledger.states import fingerprint

    with closing(sqlite3.connect(path)) as db:
        [(own, refs, fields, prompt, seed)] = db.execute(
            "SELECT address, refs, fields, prompt, seed FROM requests"
        )
        address = address or own
        references = tuple(json.loads(refs)) if references is None else references
        body = {**json.loads(fields), "prompt": prompt}
        db.execute(
            "UPDATE requests SET address = ?, refs = ?, fingerprint = ?, prompt = ?",
            (
                address,
                json.dumps(references),
                fingerprint(address, body, references, int(seed)),
                prompt if keep_prompt else None,
            ),
        )
        db.commit()
