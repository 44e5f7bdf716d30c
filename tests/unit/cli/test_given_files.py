"""Prompts and references that come from files, patterns and stdin."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from PIL import Image

from seedream_api.cli.given_files import expand_patterns, read_prompt, read_references
from seedream_api.errors import InvalidRequest
from seedream_api.service.references import PictureReference


def set_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "ascii"))


def given(**changed: object) -> Namespace:
    return Namespace(**{"prompt": None, "prompt_file": None, "ref": [], **changed})


def picture(color: str = "red") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (32, 24), color).save(data, "PNG")
    return data.getvalue()


def test_prompt_is_read_from_stdin_as_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    set_stdin(monkeypatch, "\ufeff一只猫\nin the rain\n".encode())
    assert read_prompt(given(prompt="-")) == "一只猫\nin the rain"


def test_prompt_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("一只猫\n", "utf-8")
    assert read_prompt(given(prompt_file=file)) == "一只猫"
    assert read_prompt(given(prompt=" as given ")) == " as given "


@pytest.mark.parametrize("data", [None, b"\xff\xfe"])
def test_unreadable_prompt_file_is_named(tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "prompt.txt"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(InvalidRequest, match=r"prompt\.txt") as caught:
        read_prompt(given(prompt_file=file))
    assert caught.value.exit_code == 2


def test_reference_is_read_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    set_stdin(monkeypatch, picture())
    [reference] = read_references(["-"])
    assert isinstance(reference, PictureReference) and reference.width == 32


@pytest.mark.parametrize("where", [given(prompt="-", ref=["-"]), ["-", "-"]])
def test_stdin_is_used_once_only(where: Namespace | list[str]) -> None:
    with pytest.raises(InvalidRequest, match="once only"):
        read_prompt(where) if isinstance(where, Namespace) else read_references(where)


def test_pattern_is_expanded_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "c.txt", "[x].png"):
        (tmp_path / name).write_bytes(picture())
    found = expand_patterns([f"{tmp_path}/?.png", f"{tmp_path}/[x].png", "https://e.com/*.png"])
    assert list(found) == [
        f"{tmp_path}/a.png", f"{tmp_path}/b.png", f"{tmp_path}/[x].png", "https://e.com/*.png",
    ]  # fmt: skip


def test_pattern_without_a_match_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"\*\.png"):
        read_references([f"{tmp_path}/*.png"])
