"""Paid bytes on disk: whole or not at all, named by their content, equal ones one file."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.image_store import ImageStore

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200))


@pytest.fixture
def store(home: Path) -> ImageStore:
    return ImageStore(home)


def content(store: ImageStore) -> list[Path]:
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


def test_kept_image_is_named_by_its_content(store: ImageStore) -> None:
    kept = store.add_bytes(PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    assert kept.path == store.folder / digest[:2] / f"{digest}.png"
    assert kept.path.read_bytes() == PNG
    assert (kept.sha256, kept.bytes, kept.media_type) == (digest, len(PNG), "image/png")
    assert kept.path == store.path_of(digest, "image/png")


def test_equal_images_are_one_file_and_others_are_not(store: ImageStore) -> None:
    first, again, other = store.add_bytes(PNG), store.add_bytes(PNG), store.add_bytes(JPEG)
    assert first.path == again.path != other.path and other.path.suffix == ".jpg"
    assert content(store) == sorted([first.path, other.path])
    assert sorted(store.files()) == content(store)


def test_bytes_other_than_an_image_are_kept(store: ImageStore) -> None:
    kept = store.add_bytes(b"what is this")
    assert kept.media_type == "" and kept.path.suffix == ".bin"
    assert kept.path.read_bytes() == b"what is this"


def test_name_appears_only_with_the_whole_content(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bytes]] = []
    rename = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((target.exists(), self.read_bytes()))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    kept = store.add_bytes(PNG)
    assert seen == [(False, PNG)] and kept.path.exists()


def test_bytes_and_name_are_on_disk_before_it_returns(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        order.append("folder" if is_folder else "bytes")
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        order.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    store.add_bytes(PNG)
    assert order[:2] == ["bytes", "name"]
    assert os.name != "posix" or "folder" in order[2:]


@pytest.mark.skipif(os.name != "posix", reason="rights are the profile's on Windows")
def test_files_and_folders_belong_to_their_owner_alone(store: ImageStore) -> None:
    mask = os.umask(0)
    try:
        store.add_bytes(PNG)
    finally:
        os.umask(mask)
    for path in (store.folder, *store.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_partial_files_have_unique_names_and_are_not_listed(store: ImageStore) -> None:
    partials = [store.new_partial() for _ in range(5)]
    assert len(set(partials)) == 5 and not any(path.exists() for path in partials)
    partials[0].write_bytes(b"half")
    assert [*store.files()] == []


def test_download_that_is_whole_is_moved_to_its_name(store: ImageStore) -> None:
    partial = store.new_partial()
    partial.write_bytes(PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    kept = store.add(partial, sha256=digest, kind="image/png", size=len(PNG))
    assert kept.path.read_bytes() == PNG and not partial.exists()
    assert store.add_bytes(PNG).path == kept.path


def test_full_disk_is_reported_and_leaves_no_partial_file(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerFailed) as caught:
        store.add_bytes(PNG)
    assert caught.value.key == "image_unstorable" and "No space left" in str(caught.value)
    assert content(store) == []


def test_file_in_place_of_the_folder_is_reported(home: Path, store: ImageStore) -> None:
    home.mkdir()
    store.folder.write_text("mine")
    with pytest.raises(LedgerFailed) as caught:
        store.new_partial()
    assert str(store.folder) in str(caught.value) and store.folder.read_text() == "mine"


def test_vanished_download_is_reported(store: ImageStore) -> None:
    with pytest.raises(LedgerFailed):
        store.add(store.new_partial(), sha256="ab" * 32, kind="image/png", size=1)


def test_store_that_was_never_used_holds_nothing(store: ImageStore) -> None:
    assert [*store.files()] == [] and not store.folder.exists()
