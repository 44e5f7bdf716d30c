"""The soak in its short form, and that its audit sees what it is there to see."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec as Wish, State
from seedream_api.sandbox.tasks import StoredTask, TaskStore
from seedream_api.service.result_items import ResultItem
from support.fake_service import FakeService
from support.paths import PACK_ROOT

SOAK = PACK_ROOT / "tools" / "soak.py"


def test_thousand_intents_under_fire(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SOAK), "--intents", "1000", "--seed", "7"],
        env={"PATH": "", "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    figures = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", done.stdout)}
    # The run had faults and kills.
    assert figures["intents"] == 1000 and figures["images"] > 300
    assert figures["faults"] > 300 and figures["kills"] > 10 and figures["cancels"] > 10
    assert "0 lost, 0 paid twice, 0 leaked, 0 stuck" in done.stdout


# ---- the audit ----


def wish(prompt: str) -> Wish:
    model = "Seedream-4.0"
    return Wish(prompt, "evolink", model, "http://127.0.0.1:1", "0", prompt, {}, (), 0, 1)


class Books:
    """One request, paid for and stored, as a soak leaves it; then something is broken."""

    def __init__(self, folder: Path, audit: Any, intent_type: Any) -> None:
        self.audit = audit
        self.home = folder / "home"
        self.service = FakeService(folder / "service", task_seconds=0)
        self.store = TaskStore(folder / "service" / "sandbox")
        self.record = StoredTask(
            id="task-0123456789ab", owner="", model="Seedream-4.0", prompt="a cat", tier="1K",
            ratio="1:1", count=1, extension="jpg", watermark=False, references=(), digest="00",
            created=0.0, seconds=0.0,
        )  # fmt: skip
        self.store.put(self.record)
        self.wish = intent_type(0, {"prompt": "a cat"}, None)
        self.post = audit.Post("a cat", "key of row 1", 200, None)
        with self.service:
            url = f"{self.service.url}/results/{self.record.id}/0.jpg"
            self.picture = audit.fetched(url)
            self._write_down(url)

    def _write_down(self, url: str) -> None:
        from seedream_api.ledger.image_store import ImageStore

        ledger = SyncLedger(self.home)
        row = ledger.claim(
            Wish(
                "print", "evolink", "Seedream-4.0", "http://127.0.0.1:1", "0", "a cat", {}, (), 0, 1
            ),
            "key of row 1",
        )
        ledger.move(row.id, State.SENDING)
        ledger.move(row.id, State.ACCEPTED, task_id=self.record.id)
        file = ImageStore(self.home, ledger.owner).add_bytes(self.picture)
        ledger.record_response(row.id, (ResultItem(position=0, url=url),), {0: file})
        ledger.move(row.id, State.COMPLETED)
        ledger.close()
        (self.home / "images" / "partial" / ledger_owner_folder(self.home)).rmdir()
        self.file = file.path

    def findings(self, posts: list[Any] | None = None, dropped: int = 0) -> Any:
        found = self.audit.Findings()
        books = self.audit.Books(self.home)
        records = list(self.store.all())
        posts = [self.post] if posts is None else posts
        self.audit.audit_money(found, [self.wish], posts, records, books, dropped)
        with self.service:
            self.audit.audit_images(found, records, books, self.service)
        self.audit.audit_disk(found, books)
        self.audit.audit_rows(found, books)
        return found


def ledger_owner_folder(home: Path) -> str:
    return next((home / "images" / "partial").iterdir()).name


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Books:
    monkeypatch.syspath_prepend(str(SOAK.parent))
    from soaking import audit, intents

    return Books(tmp_path, audit, intents.Intent)


def test_audit_passes_a_paid_and_stored_image(books: Books) -> None:
    assert books.findings().all() == []


def test_audit_sees_a_request_that_was_sent_twice(books: Books) -> None:
    assert len(books.findings([books.post, books.post]).paid_twice) == 2
    refused = replace(books.post, status=429)
    assert books.findings([refused, books.post]).all() == []


def test_audit_sees_unrequested_second_charge(books: Books) -> None:
    books.store.put(replace(books.record, id="task-ba9876543210"))
    posts = [books.post, replace(books.post, key="key of row 2")]
    found = books.findings(posts)
    assert len(found.paid_twice) == 2 and len(found.lost) == 1
    books.wish.forgotten = 1
    assert books.findings(posts).paid_twice == []


def test_audit_sees_that_a_dropped_request_was_sent_again(books: Books) -> None:
    assert len(books.findings(dropped=1).paid_twice) == 1


@pytest.mark.parametrize("what", ["gone", "other bytes"])
def test_audit_sees_a_lost_image(books: Books, what: str) -> None:
    if what == "gone":
        books.file.unlink()
    else:
        books.file.write_bytes(books.picture[:-1])
    assert len(books.findings().lost) == 1


@pytest.mark.parametrize("place", ["images/ab/orphan.png", "images/partial/dead/a.part",
                                   "owners/dead.lock", "ledger.sqlite-journal"])  # fmt: skip
def test_audit_sees_what_is_left_behind(books: Books, place: str) -> None:
    path = books.home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    assert len(books.findings().leaked) == 1


def test_audit_sees_a_row_without_an_end(books: Books) -> None:
    ledger = SyncLedger(books.home)
    ledger.claim(wish("a dog"), "key of row 2")
    ledger.close()
    assert len(books.findings().stuck) == 1


@pytest.mark.parametrize("kind", ["descriptors", "threads", "tasks", "objects", "memory_kib"])
def test_audit_sees_growth(books: Books, kind: str) -> None:
    steady = {"descriptors": 9, "threads": 5, "tasks": 1, "objects": 10**5, "memory_kib": 10**5}
    calm = [(at, dict(steady)) for at in range(0, 1000, 10)]
    step = {"objects": 100, "memory_kib": 200}.get(kind, 0.1)
    grown = [(at, {**steady, kind: steady[kind] + step * at}) for at, _ in calm]
    for samples, leaks in ((calm, 0), (grown, 1)):
        found = books.audit.Findings()
        books.audit.audit_processes(found, samples, "", "the key")
        assert len(found.leaked) == leaks


@pytest.mark.parametrize(
    "line", ["Task exception was never retrieved", "ResourceWarning: x", "with the key in it"]
)
def test_audit_reads_what_the_workers_wrote(books: Books, line: str) -> None:
    found = books.audit.Findings()
    books.audit.audit_processes(found, [(n, {"tasks": 1}) for n in range(40)], line, "the key")
    assert len(found.leaked) == 1
