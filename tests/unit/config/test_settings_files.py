"""The settings file and the models file: private, read tolerantly, named when broken."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from seedream_api import doctor
from seedream_api.config.settings import (
    Settings,
    find_default_home,
    load_settings,
    make_private_folder,
)
from seedream_api.errors import ConfigurationError
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from support.saved_settings import load, refusal

POSIX = pytest.mark.skipif(os.name != "posix", reason="rights are the profile's on Windows")


@POSIX
def test_rights_of_others_to_the_file_are_taken_away(home: Path) -> None:
    load(home, {"SEEDREAM_PARTIAL": "fail"})
    path = home / "settings.json"
    path.chmod(0o644)
    assert load(home).text("SEEDREAM_PARTIAL") == "fail"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o400)
    load(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


@POSIX
def test_new_folder_is_private_and_old_one_keeps_its_mode(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    for folder, mode in ((tmp_path / "new" / "home", 0o700), (old, 0o755)):
        make_private_folder(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == mode


@POSIX
@pytest.mark.parametrize("mode", [0o1777, 0o2775, 0o755], ids=oct)
def test_existing_data_folder_keeps_mode_and_files_are_private(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "other.txt").write_text("of another program")
    shared.chmod(mode)
    home = load_settings(environ={"SEEDREAM_HOME": str(shared)}).home
    assert home == (shared / "seedream" if mode == 0o1777 else shared)
    SyncLedger(home).close()
    ImageStore(home).new_partial()
    assert stat.S_IMODE(shared.stat().st_mode) == mode
    made = [path for path in shared.rglob("*") if path.name != "other.txt"]
    top = [path for path in made if path.parent == home or path == home]
    assert top and not [path for path in top if path.stat().st_mode & 0o077 and path != shared]
    assert load_settings(environ={"SEEDREAM_HOME": str(shared)}).home == home


@POSIX
def test_ledger_of_shared_folder_stays_where_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    SyncLedger(shared).close()
    shared.chmod(0o1777)
    assert load_settings(environ={"SEEDREAM_HOME": str(shared)}).home == shared


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives files away")
def test_folder_of_another_user_in_shared_one_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "seedream").mkdir(parents=True)
    shared.chmod(0o1777)
    os.chown(shared / "seedream", 4321, 4321)
    with pytest.raises(PermissionError, match="another user"):
        make_private_folder(shared / "seedream")


@POSIX
def test_chmod_that_is_refused_stops_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(home, {"SEEDREAM_PARTIAL": "fail"})
    (home / "settings.json").chmod(0o644)

    def refuse(*given: Any, **named: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(Path, "chmod", refuse)
    settings = load(home)
    assert settings.text("SEEDREAM_PARTIAL") == "fail"
    check = doctor._check_folder(settings)
    assert check.verdict == "note" and "may read" in check.message


def test_relative_home_is_one_folder_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "user")
    found: set[Path] = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        for spelled in ("data", "./data", "data/../data/"):
            found.add(load_settings(environ={"SEEDREAM_HOME": spelled}).home)
    assert found == {tmp_path / "user" / "data"}


def test_relative_home_with_a_ledger_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "user")
    monkeypatch.chdir(tmp_path)
    SyncLedger(tmp_path / "data").close()
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={"SEEDREAM_HOME": "data"})
    assert caught.value.key == "relative_home" and str(tmp_path / "data") in str(caught.value)


def test_missing_home_folder_names_the_setting_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nameless)
    for environ in ({}, {"SEEDREAM_HOME": "data"}, {"XDG_DATA_HOME": "data"}):
        with pytest.raises(ConfigurationError) as caught:
            load_settings(environ=environ)
        assert caught.value.key == "no_home" and "SEEDREAM_HOME" in str(caught.value)
    monkeypatch.setattr(Path, "home", lambda: Path("relative"))
    with pytest.raises(ConfigurationError, match="SEEDREAM_HOME"):
        load_settings(environ={})


@pytest.mark.parametrize("value", ['"/data/x"', "'/data/x'", '"/data/x'])
def test_quoted_home_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={"SEEDREAM_HOME": value})
    assert caught.value.key == "quoted_setting"


def test_byte_order_mark_is_ignored(home: Path) -> None:
    assert load(home, '\ufeff{"SEEDREAM_PARTIAL": "fail"}').text("SEEDREAM_PARTIAL") == "fail"


TOO_DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "text", ["{", "", "[]", '"text"', "null", "7", TOO_DEEP], ids=lambda text: text[:9]
)
def test_broken_file_is_named_and_left_unchanged(home: Path, text: str) -> None:
    error = refusal(home, text)
    path = home / "settings.json"
    assert error.key == "bad_settings_file" and str(path) in str(error)
    assert path.read_text() == text


def test_file_that_is_a_folder_or_no_text_is_named(home: Path) -> None:
    (home / "settings.json").mkdir(parents=True)
    assert refusal(home).key == "bad_settings_file"
    (home / "settings.json").rmdir()
    (home / "settings.json").write_bytes(b"\xff\xfe\x00{")
    assert refusal(home).key == "bad_settings_file"


def test_missing_file_and_folder_are_not_created(home: Path) -> None:
    assert load(home).settings_file == home / "settings.json" and not home.exists()


def test_home_comes_from_environment_caller_or_platform(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert load_settings(mine, environ={}).home == mine
    environ = {"SEEDREAM_HOME": str(tmp_path / "set")}
    assert load_settings(mine, environ=environ).home == tmp_path / "set"
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        environ[name] = str(tmp_path / "data")
    assert find_default_home(environ).name == "seedream"
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert find_default_home(environ) == tmp_path / "data" / "seedream"


def test_allowed_hosts_are_a_clean_lower_case_set(home: Path) -> None:
    settings = load(home, {}, SEEDREAM_ALLOW_HOSTS=" NAS.lan , 10.0.0.5:8080,, ")
    assert settings.allowed_hosts == frozenset({"nas.lan", "10.0.0.5:8080"})
    assert load(home).allowed_hosts == frozenset()


# ---- added models ----


def with_models(home: Path, tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "models.json"
    path.write_text(text, encoding="utf-8")
    return load(home, {}, SEEDREAM_MODELS=str(path))


def test_added_models_follow_the_known_ones(home: Path, tmp_path: Path) -> None:
    entry = {"id": "Seedream-9", "family": "evolink", "like": "Seedream-4.0"}
    for mark in ("", "\ufeff"):
        models = with_models(home, tmp_path, mark + json.dumps([entry])).models
        assert [*models][-1] == "Seedream-9" and len(models) == 6
        assert models["Seedream-9"].doubted == models["Seedream-4.0"].doubted == {}
    assert len(load(home).models) == 5


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", TOO_DEEP, '["Seedream-9"]', '[{"family": "evolink"}]', '[{"id": "x"}]',
     '[{"id": "x", "family": "other"}]', '[{"id": 7, "family": "evolink"}]',
     '[{"id": " ", "family": "evolink"}]', '[{"id": "x", "family": ["evolink"]}]',
     '[{"id": "x", "family": "evolink", "like": "Seedream-4.5-Preferential"}]',
     '[{"id": "x", "family": "evolink", "like": "Seedream-77"}]',
     '[{"id": "x", "family": "evolink", "like": ["Seedream-4.0"]}]'],
    ids=lambda text: text[:60],
)  # fmt: skip
def test_models_file_that_makes_no_sense_is_named(home: Path, tmp_path: Path, text: str) -> None:
    settings = with_models(home, tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        _ = settings.models
    assert caught.value.key == "bad_models_file"
    assert "models.json" in str(caught.value) and caught.value.values["reason"]


def test_models_file_that_is_missing_is_named(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.json"):
        _ = load(home, {}, SEEDREAM_MODELS=str(tmp_path / "gone.json")).models
