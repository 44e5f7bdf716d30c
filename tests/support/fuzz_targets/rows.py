"""Rows of the ledger with any value in any column."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seedream_api.config import limits
from seedream_api.ledger import ledger as ledgers, states

from .. import response_shapes
from ..byte_random import Dice
from ..input_mutations import ODD_TEXTS, ODD_VALUES, as_bytes, mutated
from .checks import SECRET, ours

_COLUMNS = (
    "state", "fingerprint", "family", "model", "address", "key_print", "prompt", "fields", "refs",
    "seed", "asked", "notes", "task_id", "error", "created_at", "sent_at", "accepted_at",
    "answered_at", "finished_at", "delivered_at", "profile", "run", "currency", "image_price",
    "references_price", "charged_images",
)  # fmt: skip
_IMAGE_COLUMNS = ("url", "sha256", "file", "bytes", "media_type", "width", "height", "error")
_LIMITS = limits.Limits(day=limits.parse_limit("9 CNY"), month=limits.parse_limit("9"))


def ledger_rows(dice: Dice, folder: Path) -> None:
    ledger = _ledger(folder)
    changed = {dice.pick(_COLUMNS): _cell(dice) for _ in range(1 + dice.below(3))}
    images = {dice.pick(_IMAGE_COLUMNS): _cell(dice) for _ in range(dice.below(3))}
    uploads = {"notes": _cell(dice)} if dice.one_in(3) else {}
    _restore(ledger)
    with ledger.database.write(durable=False):
        for table, cells in (("requests", changed), ("images", images), ("uploads", uploads)):
            for name, value in cells.items():
                with contextlib.suppress(sqlite3.IntegrityError):
                    ledger.database.execute(f"UPDATE {table} SET {name} = ?", (value,))  # noqa: S608
    looks: tuple[Callable[[], Any], ...] = (
        ledger.list_records, lambda: ledger.find_record("task-1"),
        lambda: ledger.list_images(1), ledger.list_stored_files,
        lambda: ledger.find_stored_image("https://x.example/a.png"), ledger.sum_stored_bytes,
        lambda: ledger.typical_seconds("Seedream-4.0"),
        lambda: ledger.find_upload("sha256:1", "s3", "place"),
        lambda: ledger.summarize_usage(since=0.0, by="day").to_json(),
        lambda: ledger.list_spending(_LIMITS, "run", sandbox=False),
    )  # fmt: skip
    for look in looks:
        with ours():
            look()


def _cell(dice: Dice) -> Any:
    match dice.below(4):
        case 0:
            return as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice).decode(
                "utf-8", "replace"
            )
        case 1:
            return dice.raw(20)
        case 2:
            return dice.pick(ODD_TEXTS).replace("\ud800", "?")
        case _:
            value = dice.pick(ODD_VALUES)
            fits = value is None or isinstance(value, (float, bool))
            return value if fits or (isinstance(value, int) and abs(value) < 2**62) else str(value)


_ledgers: dict[Path, Any] = {}


def _ledger(folder: Path) -> Any:
    if folder in _ledgers and _ledgers[folder].is_unusable:
        _ledgers.pop(folder).close()  # the last case broke it, and it was kept aside
    if folder not in _ledgers:
        ledger = _ledgers[folder] = ledgers.SyncLedger(folder / "ledger")
        ledger.claim_task("https://api.example.com", "task-1", states.key_fingerprint(SECRET))
    return _ledgers[folder]


def _restore(ledger: Any) -> None:
    with ledger.database.write(durable=False):
        ledger.database.execute("DELETE FROM images")
        ledger.database.execute("DELETE FROM uploads")
        ledger.database.execute("DELETE FROM requests WHERE id > 1")
        sound = {
            "state": "answered", "address": "https://api.example.com", "task_id": "task-1",
            "fields": "{}", "refs": "[]", "notes": "[]", "created_at": 1.0, "error": None,
            "seed": "0", "asked": 1, "sent_at": 1.0, "currency": "CNY", "image_price": 250_000,
            "references_price": 0, "charged_images": None,
        }  # fmt: skip
        setting = ", ".join(f"{name} = ?" for name in sound)
        ledger.database.execute(
            f"UPDATE requests SET {setting} WHERE id = 1",  # noqa: S608
            tuple(sound.values()),
        )
        ledger.database.execute(
            "INSERT INTO images (request, position, url) VALUES (1, 0, 'https://x.example/a.png')"
        )
        upload = ("sha256:1", "s3", "place", "https://x", 9e9, 1, 1, "image/png", 1, 1, "[]", 1)
        ledger.database.execute(f"INSERT INTO uploads VALUES ({', '.join('?' * 12)})", upload)  # noqa: S608


def close_ledgers() -> None:
    for ledger in _ledgers.values():
        ledger.close()
    _ledgers.clear()
