"""Compare the service's books, the ledger and the disk after a soak.

The service's side is what the sandbox logged and kept; ours is read from the SQLite file as it
lies there. Nothing of the code under test is asked.
"""

from __future__ import annotations

import re
import sqlite3
import statistics
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedream_api.sandbox.prompt_parsing import BLOCKED

from .faults import Refusing
from .intents import Intent

ENDS = frozenset(
    {"completed", "partial", "empty", "refused", "failed", "unknown", "withdrawn", "forgotten"}
)
OPEN_ENDS = frozenset({"empty", "unknown", "forgotten"})
"""States in which the user has an error saying that the request may have been charged."""
UNSEEN = "DropAfterReceipt"
"""The fault of which not even the status arrives."""
UNREADABLE = frozenset({UNSEEN, "Truncated", "WrongType"})
"""Faults that leave nothing usable of the service's own response."""
_WORDS = re.compile(r"Traceback|never retrieved|was destroyed|ResourceWarning|Fatal Python")

GROWTH = {"descriptors": 6, "threads": 6, "tasks": 2, "objects": 4_000, "memory_kib": 8_192}
"""What an elder may hold on to at the end above what it held before, whatever it went through."""
GROWTH_A_CALL = {"objects": 2.0, "memory_kib": 4.0}
"""And what each call may add to that."""


@dataclass(frozen=True)
class Post:
    """One request that may be charged, as the sandbox logged it."""

    prompt: str
    key: str
    """Its Idempotency-Key: one per row."""
    status: int | None
    fault: str | None
    taken: bool = True
    """Whether the service itself responded."""

    @property
    def is_refusal(self) -> bool:
        """Whether its response means that nothing was accepted."""
        if self.fault in (Refusing.__name__, "RedirectTo"):  # a redirect was not taken
            return True
        by_words = self.status == 500 and BLOCKED in self.prompt
        by_status = self.status is not None and 400 <= self.status < 500 and self.status != 408
        # Of a 4xx the status alone says no, even where its body cannot be read.
        return self.taken and (
            (by_status and self.fault != UNSEEN) or (by_words and self.fault not in UNREADABLE)
        )


@dataclass
class Findings:
    """Breaches, by what is broken."""

    lost: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        return [
            f"{name.replace('_', ' ')}: {one}"
            for name, found in vars(self).items()
            for one in found
        ]


class Books:
    """The record as it lies on the disk."""

    def __init__(self, home: Path) -> None:
        self.home = home
        connection = sqlite3.connect(home / "ledger.sqlite")
        connection.row_factory = sqlite3.Row
        self.rows = [dict(row) for row in connection.execute("SELECT * FROM requests")]
        self.images = [dict(row) for row in connection.execute("SELECT * FROM images")]
        copies = connection.execute("SELECT file FROM reference_files WHERE file IS NOT NULL")
        self.reference_files = [str(row["file"]) for row in copies]
        connection.close()
        self.by_prompt: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows:
            self.by_prompt[row["prompt"]].append(row)
        self.images_of: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for image in self.images:
            self.images_of[image["request"]].append(image)


def audit_money(
    findings: Findings, wishes: Sequence[Intent], posts: Sequence[Post], records: Sequence[Any],
    books: Books, dropped: int,
) -> None:  # fmt: skip
    """One click, one charge."""
    open_posts: Counter[str] = Counter()
    by_prompt: Counter[str] = Counter()
    for post in posts:
        if not post.is_refusal:
            open_posts[post.key] += 1
            by_prompt[post.prompt] += 1
    for key, count in open_posts.items():
        if count > 1:
            findings.paid_twice.append(f"request {key} was sent {count} times")
    charged = Counter(record.prompt for record in records if record.images)
    ended = Counter(r.prompt for r in records if not r.images and r.count)
    for wish in wishes:
        allowed = 1 + wish.forgotten
        if charged[wish.prompt] > allowed:
            findings.paid_twice.append(f"{wish.prompt!r}: {charged[wish.prompt]} charges")
        if by_prompt[wish.prompt] - ended[wish.prompt] > allowed:
            findings.paid_twice.append(f"{wish.prompt!r}: {by_prompt[wish.prompt]} requests")
    # A request that was cut before its body was read is only in our own ledger.
    silent = sum(
        row["sent_at"] is not None
        and row["state"] in ("unknown", "forgotten")
        and not open_posts[row["idempotency_key"]]
        for row in books.rows
    )
    if silent < dropped:
        findings.paid_twice.append(f"{dropped} dropped requests, {silent} rows that say so")


def audit_images(findings: Findings, records: Sequence[Any], books: Books, service: Any) -> int:
    """Check that every image is stored whole or has an error; return how many are stored."""
    rows_of: dict[str, dict[str, Any]] = {
        row["task_id"]: row for row in books.rows if row["task_id"]
    }
    for image in books.images:
        found = re.search(r"/results/((?:pic|task)-[0-9a-f]+)/", image["url"] or "")
        if found:
            row_id = image["request"]
            rows_of[found.group(1)] = next(row for row in books.rows if row["id"] == row_id)
    told = Counter(
        row["prompt"] for row in books.rows if row["state"] in OPEN_ENDS and not row["task_id"]
    )
    stored = 0
    for record in records:
        if not record.images:
            continue
        row = rows_of.get(record.id)
        if row is None:
            told[record.prompt] -= 1
            if told[record.prompt] < 0:
                findings.lost.append(f"{record.id} of {record.prompt!r} stands nowhere")
            continue
        if row["state"] == "forgotten":
            continue  # its owner let it go
        by_place = {image["position"]: image for image in books.images_of[row["id"]]}
        for place in set(range(record.count)) - set(record.failed_items):
            image = by_place.get(place)
            problem = _problem(record, place, image, books.home, service)
            if problem:
                findings.lost.append(f"{record.id}/{place} ({row['state']}): {problem}")
            stored += not problem
    return stored


def _problem(
    record: Any, place: int, image: dict[str, Any] | None, home: Path, service: Any
) -> str | None:
    if image is None or image["file"] is None:
        return "not stored"
    path = home / image["file"]
    if not path.is_file():
        return "its file is gone"
    made = fetched(f"{service.url}/results/{record.id}/{place}.{record.extension}")
    # A server may have sent more than the picture; what it sent of the picture must be whole.
    return None if path.read_bytes().startswith(made) else "other bytes than the service made"


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def audit_disk(findings: Findings, books: Books) -> None:
    """Check for partial files, files without a row, and locks without an owner."""
    files = [image["file"] for image in books.images if image["file"]]
    known = {books.home / file for file in (*files, *books.reference_files)}
    for path in books.home.rglob("*"):
        if not path.is_file():
            continue
        place = path.relative_to(books.home)
        if place.parts[0] == "images" and path not in known:
            findings.leaked.append(f"orphan file {place}")
        elif place.parts[0] == "owners":
            findings.leaked.append(f"lock of nobody {place}")
        elif place.parts[0] not in ("images", "ledger.sqlite", "ledger.sqlite-wal"):
            findings.leaked.append(f"left behind: {place}")


def audit_rows(findings: Findings, books: Books) -> None:
    """Every row has come to an end."""
    for row in books.rows:
        if row["state"] not in ENDS:
            told = f"entry {row['id']} is {row['state']}, task {row['task_id']}, {row['error']}"
            findings.stuck.append(told)


def audit_processes(
    findings: Findings, samples: Sequence[tuple[int, dict[str, int]]], logs: str, secret: str
) -> dict[str, float]:
    """What the elder held on to, first against last; gives the growth of each kind."""
    growth: dict[str, float] = {}
    settled = samples[len(samples) // 5 :]  # imports, caches and thread pools are done with
    if len(settled) < 8:
        findings.leaked.append(f"only {len(samples)} samples: too few to tell a leak")
        return growth
    quarter = max(2, len(settled) // 4)
    early, late = settled[:quarter], settled[-quarter:]
    calls = _middle(at for at, _ in late) - _middle(at for at, _ in early)
    for kind in settled[0][1]:
        grown = _middle(s[kind] for _, s in late) - _middle(s[kind] for _, s in early)
        growth[kind] = grown
        if grown > GROWTH[kind] + GROWTH_A_CALL.get(kind, 0.0) * calls:
            findings.leaked.append(f"{kind} grew by {grown:g} in {calls:g} calls")
    for found in _WORDS.finditer(logs):
        findings.leaked.append(f"a worker wrote: {logs[found.start() : found.start() + 1500]}")
    if secret in logs:
        findings.leaked.append("a worker's log holds the key")
    return growth


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)
