"""Profiles that a browser adds, changes, renames and removes."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.canary import SECOND_KEY, UNSHAPED_KEY

ADDRESS = "https://relay.example"


@pytest.fixture
def profiles(pack: ModuleType, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    return importlib.import_module(f"{pack.__name__}.nodes.web.profiles")


def listed(profiles: Any) -> list[dict[str, Any]]:
    found = profiles.list_profiles()
    text = json.dumps(found)
    assert SECOND_KEY not in text and UNSHAPED_KEY not in text
    return found["profiles"]


def saved(home: Path) -> dict[str, Any]:
    return json.loads((home / "settings.json").read_text("utf-8"))["profiles"]


def reason(call: Any, *values: Any) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the key says which
        call(*values)
    assert SECOND_KEY not in str(caught.value)
    return caught.value.key  # type: ignore[attr-defined]


def add(profiles: Any, **changes: Any) -> None:
    given = {"name": "Studio", "address": ADDRESS, "key": SECOND_KEY, "is_new": True}
    profiles.save_profile({**given, **changes})


def test_added_profile_is_listed_without_its_key(profiles: Any, home: Path) -> None:
    add(profiles)
    [shown] = listed(profiles)
    assert (shown["name"], shown["address"]) == ("studio", ADDRESS)
    assert shown["is_set"] and shown["editable"] and shown["error"] is None
    section = {
        "DEEPSPACE_BASE_URL": ADDRESS,
        "key_address": ADDRESS,
        "DEEPSPACE_API_KEY": SECOND_KEY,
    }
    assert saved(home) == {"studio": section}


def test_added_profile_replaces_none_of_that_name(profiles: Any, home: Path) -> None:
    add(profiles)
    assert reason(add, profiles) == "profile_exists"
    profiles.save_profile({"name": "studio", "address": ADDRESS, "key": UNSHAPED_KEY})
    assert saved(home)["studio"]["DEEPSPACE_API_KEY"] == UNSHAPED_KEY


def test_address_of_a_profile_changes_only_with_the_key(profiles: Any, home: Path) -> None:
    add(profiles)
    moved = {"name": "studio", "address": "https://other.example"}
    assert reason(profiles.save_profile, moved) == "profile_needs_key"
    assert saved(home)["studio"]["DEEPSPACE_BASE_URL"] == ADDRESS
    profiles.save_profile({**moved, "key": UNSHAPED_KEY})
    assert saved(home)["studio"]["key_address"] == "https://other.example"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"key": ""}, "profile_needs_key"),
        ({"key": "sk with blanks"}, "bad_key"),
        ({"name": ""}, "profile_name_malformed"),
        ({"name": SECOND_KEY}, "profile_name_is_key"),
        ({"address": "http://relay.example"}, "bad_address"),
        ({"address": "sandbox"}, "key_for_sandbox"),
    ],
)
def test_profile_with_a_wrong_value_is_not_saved(
    profiles: Any, home: Path, changes: dict[str, str], key: str
) -> None:
    assert reason(lambda: add(profiles, **changes)) == key
    assert not (home / "settings.json").exists()


def test_profile_of_the_sandbox_is_saved_without_a_key(profiles: Any) -> None:
    add(profiles, address="sandbox", key="")
    [shown] = listed(profiles)
    assert not shown["is_needed"] and shown["error"] is None


def test_renamed_profile_keeps_its_key(profiles: Any, home: Path) -> None:
    add(profiles)
    add(profiles, name="other")
    assert reason(profiles.rename_profile, "studio", "other") == "profile_exists"
    assert reason(profiles.rename_profile, "gone", "new") == "profile_unknown"
    profiles.rename_profile("STUDIO", "Atelier")
    assert saved(home)["atelier"]["DEEPSPACE_API_KEY"] == SECOND_KEY
    assert [one["name"] for one in listed(profiles)] == ["atelier", "other"]


def test_removed_profile_leaves_no_key(profiles: Any, home: Path) -> None:
    add(profiles)
    profiles.remove_profile("studio")
    assert listed(profiles) == [] and SECOND_KEY not in (home / "settings.json").read_text()
    assert reason(profiles.remove_profile, "studio") == "profile_unknown"


def test_profile_of_the_environment_cannot_be_changed(
    profiles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSPACE_API_KEY__STUDIO", UNSHAPED_KEY)
    [shown] = listed(profiles)
    assert shown["is_set"] and not shown["editable"]
    assert "DEEPSPACE_API_KEY__STUDIO" in shown["reason"]["en"]
    moved = {"name": "studio", "address": ADDRESS, "key": SECOND_KEY}
    assert reason(profiles.save_profile, moved) == "setting_of_environment"
    assert reason(profiles.remove_profile, "studio") == "setting_of_environment"
    assert reason(profiles.rename_profile, "studio", "x") == "setting_of_environment"


def test_profiles_of_a_faulty_file_are_an_error(profiles: Any, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "settings.json").write_text('{"profiles": []}')
    assert "profiles" in profiles.list_profiles()["error"]["en"]
