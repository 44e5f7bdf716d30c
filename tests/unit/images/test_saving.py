"""Copies of stored images: whole, with the right suffix, and nothing is overwritten."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from seedream_api import LedgerFailed, ResultUnavailable
from seedream_api.images.saving import save_into_folder, save_to_path

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"


def stored(folder: Path, data: bytes = PNG, name: str = "aa.bin") -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def test_save_into_folder_takes_the_suffix_of_the_bytes(tmp_path: Path) -> None:
    saved = save_into_folder(stored(tmp_path), tmp_path / "new" / "out", "cat")
    assert saved == tmp_path / "new" / "out" / "cat.png" and saved.read_bytes() == PNG
    assert [file.name for file in saved.parent.iterdir()] == ["cat.png"]


def test_save_overwrites_no_file(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"mine")
    (tmp_path / "cat-2.png").mkdir()
    assert save_into_folder(stored(tmp_path), tmp_path, "cat") == tmp_path / "cat-3.png"
    assert (tmp_path / "cat.png").read_bytes() == b"mine"


def test_save_of_the_same_bytes_returns_the_same_file(tmp_path: Path) -> None:
    first = save_into_folder(stored(tmp_path), tmp_path, "cat")
    assert save_into_folder(stored(tmp_path), tmp_path, "cat") == first
    assert len(list(tmp_path.glob("cat*"))) == 1


@pytest.mark.parametrize(
    ("asked", "data", "name"),
    [
        ("cat.png", PNG, "cat.png"),
        ("cat.PNG", PNG, "cat.PNG"),
        ("cat.jpeg", JPEG, "cat.jpeg"),
        ("cat.png", JPEG, "cat.jpg"),
        ("cat.v2.png", PNG, "cat.v2.png"),
    ],
)
def test_save_to_path_keeps_a_right_suffix(
    tmp_path: Path, asked: str, data: bytes, name: str
) -> None:
    assert save_to_path(stored(tmp_path, data), tmp_path / "out" / asked).name == name


def test_save_by_many_at_once_loses_and_overwrites_nothing(tmp_path: Path) -> None:
    sources = [stored(tmp_path, PNG + bytes([n]), f"{n}.bin") for n in range(12)]
    saved: list[Path] = []
    out = tmp_path / "out"
    threads = [
        Thread(target=lambda one=one: saved.append(save_into_folder(one, out, "cat")))
        for one in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(saved)) == len(sources) == len(list(out.iterdir()))
    assert {file.read_bytes() for file in saved} == {file.read_bytes() for file in sources}


def test_save_of_a_pruned_image_says_so(tmp_path: Path) -> None:
    with pytest.raises(ResultUnavailable):
        save_into_folder(tmp_path / "gone.png", tmp_path / "out", "cat")
    assert not (tmp_path / "out").exists()


def test_save_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    source, out = stored(tmp_path), tmp_path / "out"
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(LedgerFailed, match="No space left"):
        save_into_folder(source, out, "cat")
    assert list(out.iterdir()) == []
