"""The commands auth, config and completion: keys are never shown and never in the arguments."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KEY = "sk-AbCdEf1234567890AbCdEf"
NO_KEY = {"DEEPSPACE_API_KEY": ""}


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    def type_text(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return type_text


def saved(home: Path) -> dict[str, Any]:
    return json.loads((home / "settings.json").read_text("utf-8"))


def test_login_saves_the_key_for_its_address_only(
    api_client: Any, type_in: Any, home: Path
) -> None:
    assert api_client.inside("auth", "status", **NO_KEY).code == 1
    type_in(f"{KEY}\n")
    ran = api_client.inside("auth", "login", "--json", **NO_KEY)
    assert ran.code == 0 and ran.json["is_set"] and ran.json["origin"] == "settings file", ran
    assert saved(home)["DEEPSPACE_API_KEY"] == KEY
    assert saved(home)["key_address"] == api_client.sandbox.url
    if os.name == "posix":
        assert stat.S_IMODE((home / "settings.json").stat().st_mode) == 0o600
    other = api_client.inside("auth", "status", DEEPSPACE_BASE_URL="https://e.com", **NO_KEY)
    assert other.code == 1 and api_client.sandbox.url in other.out


def test_logout_removes_the_key(api_client: Any, type_in: Any, home: Path) -> None:
    type_in(f"{KEY}\n")
    api_client.inside("auth", "login", **NO_KEY)
    ran = api_client.inside("auth", "logout", **NO_KEY)
    assert ran.code == 0 and "not set" in ran.out and "DEEPSPACE_API_KEY" not in saved(home)
    ran = api_client.inside("auth", "logout")
    assert "still set, by the environment" in ran.out


@pytest.mark.parametrize(("typed", "said"), [("\n", "No key was given"), ("a b\n", "characters")])
def test_unusable_key_is_not_saved(
    api_client: Any, type_in: Any, home: Path, typed: str, said: str
) -> None:
    type_in(typed)
    ran = api_client.inside("auth", "login", **NO_KEY)
    assert ran.code == 2 and said in ran.err and not (home / "settings.json").exists()


def test_config_shows_secrets_as_set_with_their_origin(api_client: Any, type_in: Any) -> None:
    type_in("")
    listed = api_client.inside("config", "list", "--json").json["settings"]
    key = next(row for row in listed if row["name"] == "DEEPSPACE_API_KEY")
    assert key == {"name": key["name"], "value": None, "is_set": True, "origin": "environment"}
    ran = api_client.inside("config", "list")
    assert "DEEPSPACE_API_KEY  set  (environment)" in ran.out
    assert "SEEDREAM_TIMEOUT_S  1800  (default)" in ran.out


def test_config_saves_a_setting_with_its_checks(api_client: Any, home: Path) -> None:
    ran = api_client.inside("config", "set", "seedream_timeout_s", "600")
    assert ran.code == 0 and ran.out == "SEEDREAM_TIMEOUT_S  600  (settings file)\n"
    assert api_client.inside("config", "get", "SEEDREAM_TIMEOUT_S").out == "600\n"
    wrong = api_client.inside("config", "set", "SEEDREAM_TIMEOUT_S", "never")
    assert wrong.code == 2 and "never" in wrong.err and saved(home)["SEEDREAM_TIMEOUT_S"] == "600"
    api_client.inside("config", "set", "SEEDREAM_TIMEOUT_S", "--default")
    assert api_client.inside("config", "get", "SEEDREAM_TIMEOUT_S").out == "1800\n"
    missing = api_client.inside("config", "set", "SEEDREAM_TIMEOUT")
    assert missing.code == 2 and "did you mean SEEDREAM_TIMEOUT_S?" in missing.err


def test_secret_among_the_arguments_is_refused(api_client: Any, type_in: Any, home: Path) -> None:
    ran = api_client.inside("config", "set", "DEEPSPACE_API_KEY", "sk-another-0123456789")
    assert ran.code == 2 and "arguments of a command" in ran.err and "0123456789" not in ran.err
    assert not (home / "settings.json").exists()
    type_in("sk-another-0123456789\n")
    ran = api_client.inside("config", "set", "DEEPSPACE_API_KEY", **NO_KEY)
    assert ran.code == 0 and ran.out == "DEEPSPACE_API_KEY  set  (settings file)\n"


# ---- completion ----


def complete(line: str) -> list[str]:
    found = subprocess.run(
        [sys.executable, "-m", "seedream_api"],
        env={**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout",
             "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line)),
             "COMP_TYPE": "9"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.split()


@pytest.mark.skipif(os.name == "nt", reason="the test reads /dev/stdout")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seedream gen", {"generate"}),
        ("seedream auth log", {"login", "logout"}),
        ("seedream generate --pro", {"--prompt", "--prompt-file", "--prompt-priority"}),
        ("seedream generate --model Seedream-4", {"Seedream-4.0", "Seedream-4.5"}),
        ("seedream tasks --state acc", {"accepted"}),
        ("seedream config get SEEDREAM_MAX", {"SEEDREAM_MAX_SUBMITS", "SEEDREAM_MAX_DOWNLOADS"}),
    ],
)
def test_words_are_completed(line: str, expected: set[str]) -> None:
    pytest.importorskip("argcomplete")
    assert expected <= set(complete(line))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_code_is_for_its_shell(api_client: Any, shell: str) -> None:
    pytest.importorskip("argcomplete")
    ran = api_client.inside("completion", shell)
    assert ran.code == 0 and "seedream" in ran.out and "_ARGCOMPLETE" in ran.out
    if shell == "bash" and shutil.which("bash"):
        subprocess.run(["bash", "-n"], input=ran.out, text=True, check=True)


def test_missing_library_is_named(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    ran = api_client.inside("completion", "bash")
    assert ran.code == 2 and "pip install argcomplete" in ran.err
