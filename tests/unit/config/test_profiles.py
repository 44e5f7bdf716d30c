"""Profiles: named keys with their addresses, from the settings file and the environment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from seedream_api import doctor
from seedream_api.config.profiles import normalize_profile_name
from seedream_api.config.settings import Settings, load_settings
from seedream_api.errors import ConfigurationError
from support.canary import SECOND_KEY, UNSHAPED_KEY
from support.saved_settings import load, refusal

ELSEWHERE = "https://relay.example"
STUDIO = {"DEEPSPACE_API_KEY": SECOND_KEY, "DEEPSPACE_BASE_URL": ELSEWHERE}


def access(settings: Settings) -> tuple[str, str, str]:
    return settings.profile, settings.address, settings.key.get_secret_value()


def test_profile_replaces_key_and_address_only(home: Path) -> None:
    saved = {"DEEPSPACE_API_KEY": UNSHAPED_KEY, "profiles": {"Studio": STUDIO}}
    settings = load(home, saved, SEEDREAM_PARTIAL="fail")
    studio = settings.for_profile(" STUDIO ")
    assert access(studio) == ("studio", ELSEWHERE, SECOND_KEY)
    assert studio.text("SEEDREAM_PARTIAL") == "fail"
    assert access(studio.for_profile("default")) == access(settings)
    assert access(settings) == ("", "https://api.deepspaceai.net", UNSHAPED_KEY)


def test_profile_from_the_environment_wins_over_the_file(home: Path) -> None:
    saved = {"profiles": {"studio": {**STUDIO, "DEEPSPACE_BASE_URL": "sandbox"}}}
    given = {"DEEPSPACE_API_KEY__STUDIO": UNSHAPED_KEY, "DEEPSPACE_BASE_URL__STUDIO": ELSEWHERE}
    assert access(load(home, saved, **given).for_profile("studio"))[1:] == (ELSEWHERE, UNSHAPED_KEY)


def test_profile_without_address_has_the_default_one(home: Path) -> None:
    given = {"DEEPSPACE_BASE_URL": ELSEWHERE, "DEEPSPACE_API_KEY__STUDIO": SECOND_KEY}
    assert load(home, **given).for_profile("studio").address == "https://api.deepspaceai.net"


def test_profile_key_of_another_address_is_not_used(home: Path) -> None:
    settings = load(
        home, {"profiles": {"studio": STUDIO}}, DEEPSPACE_BASE_URL__STUDIO="https://b.example"
    )
    with pytest.raises(ConfigurationError) as caught:
        _ = settings.for_profile("studio").key
    assert caught.value.key == "key_of_other_address"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gone", "profile_unknown"),
        ("sk-0123456789abcdefghij", "profile_name_is_key"),
        ("a/b", "profile_name_malformed"),
        ("x" * 41, "profile_name_malformed"),
    ],
)
def test_profile_name_that_is_unusable_is_an_error(home: Path, name: str, key: str) -> None:
    settings = load(home, {"profiles": {"studio": STUDIO}})
    with pytest.raises(ConfigurationError) as caught:
        settings.for_profile(name)
    assert caught.value.key == key and "0123456789abcdefghij" not in str(caught.value)
    assert key != "profile_unknown" or "studio" in str(caught.value)


def test_profile_names_have_one_spelling() -> None:
    assert normalize_profile_name("Client-A") == normalize_profile_name("client a") == "client_a"
    assert normalize_profile_name("工作室") == "工作室"


def test_profile_without_key_names_its_variable(home: Path) -> None:
    settings = load(home, {"profiles": {"studio": {"DEEPSPACE_BASE_URL": ELSEWHERE}}})
    with pytest.raises(ConfigurationError, match="DEEPSPACE_API_KEY__STUDIO"):
        _ = settings.for_profile("studio").key


def test_profile_of_the_sandbox_needs_no_key(home: Path) -> None:
    settings = load(home, {"profiles": {"free": {"DEEPSPACE_BASE_URL": "sandbox"}}})
    assert settings.for_profile("free").is_sandbox


def test_faulty_profile_does_not_break_the_others(home: Path) -> None:
    profiles = {"bad": {**STUDIO, "DEEPSPACE_BASE_URL": "ftp://x"}, "studio": STUDIO}
    settings = load(home, {"profiles": profiles})
    assert settings.for_profile("studio").address == ELSEWHERE
    with pytest.raises(ConfigurationError) as caught:
        settings.for_profile("bad")
    assert caught.value.key == "bad_address"


@pytest.mark.parametrize("profiles", [[], "studio", {"studio": SECOND_KEY}, {"default": {}}])
def test_malformed_profiles_are_refused_without_the_key(home: Path, profiles: object) -> None:
    error = refusal(home, {"profiles": profiles})
    assert error.key in ("bad_settings_file", "profile_name_malformed")
    assert SECOND_KEY not in str(error)


def test_profile_keys_are_in_no_message_or_repr(home: Path) -> None:
    settings = load(home, {"profiles": {"studio": {**STUDIO, "DEEPSPACE_API_KEY": UNSHAPED_KEY}}})
    error = ConfigurationError("profile_unknown", given=f"x {UNSHAPED_KEY}", known="")
    shown = f"{settings!r} {settings.profiles!r} {error}"
    assert UNSHAPED_KEY not in shown


def test_profile_key_in_another_setting_is_refused(home: Path) -> None:
    saved = {"profiles": {"studio": {**STUDIO, "DEEPSPACE_API_KEY": UNSHAPED_KEY}}}
    assert refusal(home, saved, SEEDREAM_ALLOW_HOSTS=UNSHAPED_KEY).key == "key_in_other_setting"


def test_settings_with_the_same_profiles_are_equal(home: Path) -> None:
    first = load(home, {"profiles": {"studio": STUDIO}})
    assert first == load(home) and first.for_profile("studio") == load(home).for_profile("studio")
    other = {"profiles": {"studio": {**STUDIO, "DEEPSPACE_API_KEY": UNSHAPED_KEY}}}
    assert first != load(home, other)


def test_doctor_lists_profiles_and_reports_a_faulty_one(home: Path) -> None:
    def check(**profiles: object) -> doctor.Check:
        settings = load(home, {"DEEPSPACE_BASE_URL": "sandbox", "profiles": profiles})
        checks = asyncio.run(doctor.run_checks(settings))
        return next(one for one in checks if one.name == "profiles")

    assert check(studio=STUDIO).message == "studio"
    keyless = check(studio=STUDIO, x={"DEEPSPACE_BASE_URL": ELSEWHERE})
    assert keyless.verdict == "problem" and "DEEPSPACE_API_KEY__X" in keyless.message


def test_load_settings_takes_a_profile(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "settings.json").write_text(json.dumps({"profiles": {"studio": STUDIO}}))
    settings = load_settings(environ={"SEEDREAM_HOME": str(home)}, profile="studio")
    assert settings.profile == "studio"
