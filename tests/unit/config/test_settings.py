"""Settings: which value counts, what is refused, and how the file is kept private."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.config.limits import LIMIT_SETTINGS
from seedream_api.config.settings import (
    DEFAULT_ADDRESS,
    SANDBOX_KEY,
    SETTINGS,
)
from seedream_api.errors import ConfigurationError
from support.saved_settings import load, refusal

KEY = "sk-a-secret-key-of-a-user-1234"
SPELLED = {
    "SEEDREAM_LEDGER": ("postgresql://one:3/a", "postgres://other:5/b"),
    "SEEDREAM_STORE": ("s3://bucket/a", "s3://other"),
    "SEEDREAM_PROXY": ("http://one:3", "socks5://other:5"),
    **dict.fromkeys(LIMIT_SETTINGS.values(), ("3 images", "5.00 CNY")),
}


# ---- precedence ----


@pytest.mark.parametrize("name", [n for n in SETTINGS if n.startswith("SEEDREAM_")])
def test_environment_wins_over_file_and_file_over_default(home: Path, name: str) -> None:
    setting = SETTINGS[name]
    first, second = setting.words[-2:] or SPELLED.get(name, ("3", "5"))
    assert load(home).values[name].origin == "default"
    assert load(home).text(name) == setting.default
    from_file = load(home, {name: first})
    assert (from_file.text(name), from_file.values[name].origin) == (first, "settings file")
    both = load(home, {name: first}, **{name: second})
    assert (both.text(name), both.values[name].origin) == (second, "environment")


def test_blank_values_are_absent_and_others_stripped(home: Path) -> None:
    settings = load(home, {"SEEDREAM_TIMEOUT_S": " "}, SEEDREAM_MAX_SUBMITS="  ")
    assert settings.values["SEEDREAM_TIMEOUT_S"].origin == "default"
    assert settings.number("SEEDREAM_MAX_SUBMITS") == 4
    assert load(home, {}, SEEDREAM_PARTIAL=" fail ").text("SEEDREAM_PARTIAL") == "fail"


def test_settings_file_may_contain_numbers(home: Path) -> None:
    assert load(home, {"SEEDREAM_TIMEOUT_S": 90}).number("SEEDREAM_TIMEOUT_S") == 90.0


@pytest.mark.parametrize("said", [True, False])
def test_settings_file_may_contain_booleans(home: Path, said: bool) -> None:
    """``false`` once counted as absent: prompts were kept against the person's word."""
    settings = load(home, {"SEEDREAM_STORE_PROMPTS": said})
    assert settings.is_on("SEEDREAM_STORE_PROMPTS") is said
    assert settings.values["SEEDREAM_STORE_PROMPTS"].origin == "settings file"


def test_nought_in_the_file_is_a_value_and_not_an_absent_one(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="'0'"):
        load(home, {"SEEDREAM_STORE_GB": 0})


@pytest.mark.parametrize(
    "name", [name for name, setting in SETTINGS.items() if setting.words or setting.low is not None]
)
def test_invalid_value_names_setting_origin_and_allowed(home: Path, name: str) -> None:
    setting = SETTINGS[name]
    for given in ("", "nan", "-1", "1e99", "maybe"):
        if not given:
            continue
        for error, origin in (
            (refusal(home, {}, **{name: given}), "environment"),
            (refusal(home, {name: given}), "settings file"),
        ):
            assert error.key == "bad_setting" and error.exit_code == 2
            for part in (name, given, origin, setting.describe_allowed()):
                assert part in error.message("en")


def test_every_setting_allows_its_own_default_and_its_bounds(home: Path) -> None:
    for name, setting in SETTINGS.items():
        values = [*setting.words] or [f"{b:g}" for b in (setting.low, setting.high) if b]
        for value in values:
            assert load(home, {}, **{name: value}).text(name) == value


# ---- the key and its address ----


def test_saved_key_serves_its_own_address_only(home: Path) -> None:
    saved = {"DEEPSPACE_API_KEY": KEY, "key_address": DEFAULT_ADDRESS}
    assert load(home, saved).key.get_secret_value() == KEY
    other = load(home, saved, DEEPSPACE_BASE_URL="https://relay.example.com")
    with pytest.raises(ConfigurationError) as caught:
        _ = other.key
    assert caught.value.key == "key_of_other_address"
    assert DEFAULT_ADDRESS in str(caught.value) and "relay.example.com" in str(caught.value)
    assert KEY not in str(caught.value)


def test_key_from_the_environment_serves_any_address(home: Path) -> None:
    saved = {"DEEPSPACE_API_KEY": "sk-other-12345678", "key_address": DEFAULT_ADDRESS}
    address = "https://relay.example.com"
    settings = load(home, saved, DEEPSPACE_BASE_URL=address, DEEPSPACE_API_KEY=KEY)
    assert settings.key.get_secret_value() == KEY
    assert settings.values["DEEPSPACE_API_KEY"].origin == "environment"


def test_key_written_by_hand_belongs_to_the_address_beside_it(home: Path) -> None:
    saved = {"DEEPSPACE_API_KEY": KEY, "DEEPSPACE_BASE_URL": "https://Relay.example.com/v1/"}
    assert load(home, saved).key.get_secret_value() == KEY
    with pytest.raises(ConfigurationError):
        _ = load(home, saved, DEEPSPACE_BASE_URL=DEFAULT_ADDRESS).key
    assert load(home, {"DEEPSPACE_API_KEY": KEY}).key.get_secret_value() == KEY


@pytest.mark.parametrize("kind", ["other key", "saved key"])
def test_built_in_sandbox_only_ever_gets_its_own_key(home: Path, kind: str) -> None:
    saved = {"DEEPSPACE_API_KEY": KEY} if kind == "saved key" else {}
    environ = {} if saved else {"DEEPSPACE_API_KEY": KEY}
    settings = load(home, saved, DEEPSPACE_BASE_URL="Sandbox", **environ)
    assert settings.address == "sandbox" and settings.is_built_in_sandbox and settings.is_sandbox
    assert settings.key.get_secret_value() == SANDBOX_KEY


def test_separate_sandbox_is_known_by_key_on_loopback_only(home: Path) -> None:
    here = load(home, {}, DEEPSPACE_BASE_URL="http://127.0.0.1:9", DEEPSPACE_API_KEY=SANDBOX_KEY)
    there = load(home, {}, DEEPSPACE_BASE_URL="https://example.com", DEEPSPACE_API_KEY=SANDBOX_KEY)
    assert here.is_sandbox and not here.is_built_in_sandbox and not there.is_sandbox


def test_no_key_names_the_three_ways(home: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _ = load(home).key
    assert caught.value.key == "no_key" and caught.value.exit_code == 2
    for language in ("en", "zh"):
        text = caught.value.message(language)
        for way in ("DEEPSPACE_API_KEY", str(home / "settings.json"), "DEEPSPACE_BASE_URL=sandbox"):
            assert way in text


@pytest.mark.parametrize(
    "key", ["sk-two words", "sk-line\nend", "sk-密钥", "sk-\x00", "sk-\u200b1"]
)
def test_key_unfit_for_header_is_refused_and_hidden(home: Path, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _ = load(home, {}, DEEPSPACE_API_KEY=key).key
    assert caught.value.key == "bad_key" and key not in str(caught.value)


def test_no_repr_shows_the_key(home: Path) -> None:
    settings = load(home, {}, DEEPSPACE_API_KEY=KEY)
    shown = [settings, settings.values, settings.key, settings.values["DEEPSPACE_API_KEY"]]
    for thing in shown:
        assert KEY not in repr(thing) and KEY not in str(thing)
    assert SETTINGS["DEEPSPACE_API_KEY"].secret
