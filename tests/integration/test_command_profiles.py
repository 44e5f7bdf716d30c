"""Profiles on the command line: auth and config save, show and remove a named key."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seedream_api.cli.main import main
from support.canary import SECOND_KEY, UNSHAPED_KEY

STUDIO = ("--profile", "Studio")
RELAY = "https://relay.example"


@pytest.fixture
def login(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(key: str, *arguments: str) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{key}\n"))
        return api_client.inside("auth", "login", *arguments)

    return run


def profiles(home: Path) -> dict[str, Any]:
    return json.loads((home / "settings.json").read_text("utf-8")).get("profiles", {})


def test_login_with_a_profile_saves_its_key_alone(api_client: Any, login: Any, home: Path) -> None:
    ran = login(SECOND_KEY, *STUDIO)
    assert ran.code == 0 and "api.deepspaceai.net: set (settings file)" in ran.out, ran
    address = "https://api.deepspaceai.net"
    assert profiles(home) == {"studio": {"DEEPSPACE_API_KEY": SECOND_KEY, "key_address": address}}
    status = api_client.inside("auth", "status", "--json")
    assert status.json["profiles"] == ["studio"] and status.json["profile"] == ""
    assert "Profiles: studio" in api_client.inside("auth", "status").out


def test_login_binds_the_key_to_the_profiles_address(
    api_client: Any, login: Any, home: Path
) -> None:
    assert api_client.inside("config", "set", "DEEPSPACE_BASE_URL", RELAY, *STUDIO).code == 0
    assert login(SECOND_KEY, *STUDIO).code == 0
    assert profiles(home)["studio"]["key_address"] == RELAY
    got = api_client.inside("config", "get", "DEEPSPACE_BASE_URL", *STUDIO)
    assert got.out == f"{RELAY}\n"
    assert RELAY in api_client.inside("config", "list", *STUDIO).out
    api_client.inside("config", "set", "DEEPSPACE_BASE_URL", "https://other.example", *STUDIO)
    moved = api_client.inside("auth", "status", *STUDIO)
    assert moved.code == 1 and RELAY in moved.out, "the key is not used for another address"


def test_logout_removes_the_profile_and_no_other(api_client: Any, login: Any, home: Path) -> None:
    login(SECOND_KEY, *STUDIO)
    login(UNSHAPED_KEY, "--profile", "client")
    ran = api_client.inside("auth", "logout", *STUDIO)
    assert ran.code == 0 and ran.out == "The profile studio and its key are removed.\n"
    assert set(profiles(home)) == {"client"}
    gone = api_client.inside("auth", "status", *STUDIO)
    assert gone.code == 2 and "Known profiles: client" in gone.err
    assert api_client.inside("auth", "logout", *STUDIO).code == 2


def test_logout_says_that_the_environment_keeps_a_key(api_client: Any, login: Any) -> None:
    login(SECOND_KEY, *STUDIO)
    ran = api_client.inside("auth", "logout", *STUDIO, DEEPSPACE_API_KEY__STUDIO=SECOND_KEY)
    assert ran.code == 0 and "still set, by the environment" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SEEDREAM_TIMEOUT_S", "600", *STUDIO), "not a setting of a profile"),
        (("DEEPSPACE_BASE_URL", RELAY, "--profile", "a/b"), "cannot be the name"),
        (("DEEPSPACE_API_KEY", SECOND_KEY, *STUDIO), "is a secret"),
    ],
)
def test_config_set_refuses_what_no_profile_has(
    api_client: Any, home: Path, words: tuple[str, ...], said: str
) -> None:
    ran = api_client.inside("config", "set", *words)
    assert ran.code == 2 and said in ran.err and SECOND_KEY not in ran.err
    assert not (home / "settings.json").exists()


def test_default_as_a_profile_is_the_key_without_a_name(
    api_client: Any, login: Any, home: Path
) -> None:
    assert login(SECOND_KEY, "--profile", "default").code == 0
    assert "profiles" not in json.loads((home / "settings.json").read_text("utf-8"))


@pytest.mark.parametrize("command", ["auth", "config"])
def test_profile_is_an_option_of_every_action(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = {"auth": ("login", "status", "logout"), "config": ("list", "get", "set")}[command]
    for language, said in (("en_US.UTF-8", "of a profile"), ("zh_CN.UTF-8", "指定密钥配置")):
        monkeypatch.setenv("LC_ALL", language)
        for action in actions:
            with pytest.raises(SystemExit):
                main([command, action, "--help"])
            assert said in capsys.readouterr().out
