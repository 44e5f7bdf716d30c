"""What the ledger knows of the bucket, and what may therefore leave the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.ledger.image_store import ImageStore, StoredFile
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.pruning import IN_USE_S
from seedream_api.ledger.states import State
from seedream_api.service.result_items import ResultItem
from support.transition_kit import row_in
from support.wall_clock import Clock

pytestmark = pytest.mark.databases("sqlite", "postgresql")

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def bucket(ledger: SyncLedger) -> None:
    ledger.database.bucket = "s3://pics"


def stored(ledger: SyncLedger, name: str, size: tuple[int, int] = (1, 1)) -> StoredFile:
    """Store an image of a finished job, whose number is the count of calls."""
    row = row_in(ledger, State.ACCEPTED, name)
    ledger.record_response(row.id, (ResultItem(0, url=f"https://e.example/{name}"),), {})
    file = ImageStore(ledger.database.home).add_bytes(PNG + name.encode())
    ledger.record_image(row.id, 0, file, size)
    ledger.move(row.id, State.COMPLETED)
    ledger.mark_delivered(row.id)
    return file


def test_bucket_is_owed_what_it_lacks(ledger: SyncLedger) -> None:
    one, two = stored(ledger, "one"), stored(ledger, "two")
    copy = ImageStore(ledger.database.home).add_bytes(b"a copy")
    ledger.record_reference_file("sha256:aa", copy, (1, 1))
    owed = [file.sha256 for file in ledger.list_files_to_share()]
    assert sorted(owed[:2]) == sorted([one.sha256, two.sha256]) and owed[2] == copy.sha256
    ledger.record_shared(one.sha256)
    ledger.record_shared(one.sha256)
    two.path.unlink()  # only another machine has it
    assert [file.path for file in ledger.list_files_to_share()] == [copy.path]
    assert ledger.list_unshared([one.sha256, two.sha256]) == {two.sha256}
    ledger.forget_shared(one.sha256)
    assert len(ledger.list_files_to_share()) == 2


def test_other_bucket_is_owed_every_file(ledger: SyncLedger) -> None:
    file = stored(ledger, "one")
    ledger.record_shared(file.sha256)
    ledger.database.bucket = "s3://other"
    assert ledger.list_unshared([file.sha256]) == {file.sha256}
    assert [one.sha256 for one in ledger.list_files_to_share()] == [file.sha256]


def test_prune_removes_only_what_the_bucket_holds(ledger: SyncLedger, clock: Clock) -> None:
    kept, shared = stored(ledger, "one"), stored(ledger, "two")
    ledger.record_shared(shared.sha256)
    clock.now += 2 * IN_USE_S
    pruned = ledger.prune(ImageStore(ledger.database.home), keep_bytes=0)
    assert pruned.images == 1 and kept.path.exists() and not shared.path.exists()
    assert ledger.sum_stored_bytes() == kept.bytes


def test_pruned_image_is_listed_as_absent(ledger: SyncLedger, clock: Clock) -> None:
    file = stored(ledger, "one")
    assert not ledger.list_absent_images(1)
    ledger.record_shared(file.sha256)
    clock.now += 2 * IN_USE_S
    ledger.prune(ImageStore(ledger.database.home), keep_bytes=0)
    [absent] = ledger.list_absent_images(1)
    assert (absent.path, absent.sha256, absent.bytes) == (file.path, file.sha256, file.bytes)
    assert ledger.find_absent_image("https://e.example/one") == [absent]
    assert ledger.list_images(1)[0].is_missing


def test_undecodable_image_is_not_read_again(ledger: SyncLedger) -> None:
    stored(ledger, "one", size=(0, 0)).path.unlink()
    assert not ledger.list_absent_images(1)


def test_absent_copies_of_references_are_listed(ledger: SyncLedger, home: Path) -> None:
    row = row_in(ledger, State.COMPLETED, "one")
    copy = ImageStore(home).add_bytes(b"a copy")
    ledger.record_reference_file(row.references[0], copy, (1, 1))
    assert not ledger.list_absent_references(row.id)
    copy.path.unlink()
    assert [file.sha256 for file in ledger.list_absent_references(row.id)] == [copy.sha256]


def test_damaged_names_and_hashes_are_left_out(ledger: SyncLedger) -> None:
    stored(ledger, "one").path.unlink()
    for column, value in (("file", "../../etc/passwd"), ("sha256", "../up")):
        with ledger.database.write(durable=False):
            ledger.database.execute(
                f"UPDATE images SET {column} = :value",  # noqa: S608 - a constant
                {"value": value},
            )
        assert not ledger.list_absent_images(1) and not ledger.list_files_to_share()
