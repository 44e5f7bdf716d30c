"""Receipts of saved images: what they hold, and how they are read from any file."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from seedream_api.errors import InvalidRequest
from seedream_api.jobs.receipts import build_receipt, find_original, parse_receipts, read_receipts
from seedream_api.ledger.ledger import Ledger, SyncLedger
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import JobSpec, State


@pytest.fixture
def row(ledger: SyncLedger) -> JobRecord:
    fields = {
        "model": "Seedream-4.0",
        "size": "1:1",
        "n": 2,
        "prompt_priority": "standard",
        "negative_prompt": "a secret dog",
        "callback": ["https://hook.example/?sig=secret"],
    }
    references = ("url:https://images.example/a.png",)
    spec = JobSpec("f" * 64, "evolink", "Seedream-4.0", "https://api.example", "key-print",
                   "a secret cat", fields, references, 7, 2)  # fmt: skip
    row = ledger.claim(spec, "id")
    ledger.move(row.id, State.SENDING)
    return ledger.move(row.id, State.ACCEPTED, task_id="task-1")


def save(path: Path, text: str | None, *, keyword: str = "seedream", **options: Any) -> Path:
    info = PngInfo()
    info.add_text("prompt", "{}")
    if text is not None:
        info.add_itxt(keyword, text, **options) if options else info.add_text(keyword, text)
    Image.new("RGB", (8, 8)).save(path, "PNG", pnginfo=info)
    return path


def test_receipt_has_no_prompt_key_or_url(row: JobRecord) -> None:
    receipt = build_receipt(replace(row, finished_at=1_790_000_000.0))
    assert receipt == {
        "model": "Seedream-4.0",
        "fields": {
            "model": "Seedream-4.0", "size": "1:1", "n": 2, "prompt_priority": "standard"
        },
        "seed": 7,
        "references": 1,
        "task_id": "task-1",
        "fingerprint": "f" * 64,
        "cost": {"estimated": None, "charged": None, "currency": None},
        "time": "2026-09-21T14:13:20Z",
    }  # fmt: skip
    text = json.dumps(receipt)
    assert all(word not in text for word in ("secret", "example", "key-print"))


def test_receipt_is_read_after_renaming_and_moving(row: JobRecord, tmp_path: Path) -> None:
    receipts = [build_receipt(row)]
    path = save(tmp_path / "a.png", json.dumps(receipts))
    moved = path.rename(tmp_path / "renamed.jpg")
    assert read_receipts(moved) == receipts
    assert read_receipts(save(tmp_path / "i.png", json.dumps(receipts), lang="zh")) == receipts


@pytest.mark.parametrize(
    "text", [None, "", "not json", "{}", "[]", '["x", 3]', '[{"other": 1}]', "[" * 100_000]
)
def test_file_without_receipt_is_refused(tmp_path: Path, text: str | None) -> None:
    with pytest.raises(InvalidRequest, match="has no Seedream receipt"):
        read_receipts(save(tmp_path / "a.png", text))


def test_receipt_of_a_file_other_than_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff" * 30)
    with pytest.raises(InvalidRequest, match="has no Seedream receipt"):
        read_receipts(path)
    path.write_bytes(b"\xff\xd8\xff" * 9)
    with pytest.raises(InvalidRequest, match="has no Seedream receipt"):
        read_receipts(path)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_receipts(tmp_path / "missing.png")


def test_receipts_of_a_hostile_list_are_bounded() -> None:
    assert len(parse_receipts([{"model": "x"}] * 5_000)) == 100


@pytest.mark.parametrize(
    ("receipt", "is_found"),
    [
        ({"fingerprint": "f" * 64}, True),
        ({"fingerprint": "0" * 64, "task_id": "task-1"}, True),
        ({"fingerprint": None, "task_id": None}, False),
        ({"fingerprint": {"a": 1}, "task_id": ["task-1"]}, False),
        ({}, False),
    ],
)
def test_original_is_found_by_fingerprint_or_task(
    row: JobRecord, home: Path, receipt: dict[str, Any], is_found: bool
) -> None:
    async def find() -> Any:
        ledger = Ledger(home)
        try:
            return await find_original(receipt, ledger)
        finally:
            ledger.close()

    found = asyncio.run(find())
    assert (found is not None and found.row.id == row.id) is is_found
