"""Settings that a program gives in code: they win, and a wrong name or value is refused."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from seedream_api import ConfigurationError, Session, load_settings
from seedream_api.config.given_settings import load_given_settings

ENVIRON = {
    "DEEPSPACE_API_KEY": "sk-environment-0000000000",
    "DEEPSPACE_BASE_URL": "https://environment.example",
    "SEEDREAM_TIMEOUT_S": "60",
}


def test_given_settings_win_over_the_environment(tmp_path: Path) -> None:
    given = {"DEEPSPACE_API_KEY": "sk-code-00000000000000000", "SEEDREAM_TIMEOUT_S": 5}
    settings = load_given_settings(given, tmp_path / "here", ENVIRON)
    assert settings.key.get_secret_value() == "sk-code-00000000000000000"
    assert settings.number("SEEDREAM_TIMEOUT_S") == 5
    assert settings.address == "https://environment.example"
    assert settings.home == tmp_path / "here"
    origins = {name: settings.values[name].origin for name in (*ENVIRON, "SEEDREAM_PROXY")}
    assert list(origins.values()) == ["code", "environment", "code", "default"]


def test_given_none_leaves_a_setting_to_the_environment(home: Path) -> None:
    settings = load_given_settings({"DEEPSPACE_API_KEY": None}, environ=ENVIRON)
    assert settings.key.get_secret_value() == ENVIRON["DEEPSPACE_API_KEY"]


def test_given_empty_key_is_not_replaced_by_the_environments(home: Path) -> None:
    settings = load_given_settings({"DEEPSPACE_API_KEY": ""}, environ=ENVIRON)
    with pytest.raises(ConfigurationError) as caught:
        _ = settings.key
    assert caught.value.key == "no_key"


def test_given_truth_values_mean_on_and_off(home: Path) -> None:
    given = {"SEEDREAM_REUSE": False, "SEEDREAM_STORE_PROMPTS": True}
    settings = load_given_settings(given, environ={})
    assert not settings.is_on("SEEDREAM_REUSE") and settings.is_on("SEEDREAM_STORE_PROMPTS")


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"SEEDREAM_TIMEOUT": 5}, "SEEDREAM_TIMEOUT_S"),
        ({"timeout_s": 5}, "SEEDREAM_TIMEOUT_S"),
        ({"SEEDREAM_TIMEOUT_S": 0}, "from code"),
        ({"SEEDREAM_TIMEOUT_S": [5]}, "list"),
        ({"DEEPSPACE_BASE_URL": "ftp://x.example"}, "ftp://x.example"),
    ],
)
def test_given_wrong_name_or_value_is_refused(home: Path, given: dict, part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_given_settings(given, environ={})
    assert part in caught.value.message("en") and caught.value.exit_code == 2


def test_session_takes_settings_from_code_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSPACE_BASE_URL", "https://environment.example")
    one = Session(api_key="sk-one-000000000000000000", home=tmp_path / "one")
    other = Session({"SEEDREAM_REUSE": False}, api_key="sk-other-00000000000", base_url="sandbox")
    assert one.settings.address == "https://environment.example"
    assert one.settings.home == tmp_path / "one"
    assert other.settings.is_built_in_sandbox and not other.settings.is_on("SEEDREAM_REUSE")
    assert Session(proxy="http://127.0.0.1:9").settings.proxy == "http://127.0.0.1:9"


def test_session_refuses_a_setting_given_twice(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="DEEPSPACE_API_KEY is given twice"):
        Session(load_settings(), api_key="sk-one-000000000000000000")
    with pytest.raises(ConfigurationError, match="home is given twice"):
        Session(load_settings(), home=home)
    with pytest.raises(ConfigurationError, match="SEEDREAM_PROXY is given twice"):
        Session({"SEEDREAM_PROXY": "http://127.0.0.1:9"}, proxy="http://127.0.0.1:8")


@pytest.mark.parametrize("given", [{"api_key": "sk-hidden 0000000000000000"}, {"base_url": "x"}])
def test_session_refused_shows_no_key_in_its_traceback(home: Path, given: dict) -> None:
    options = {"api_key": "sk-hidden-0000000000000000", "settings": {"nothing": 1}, **given}
    with pytest.raises(ConfigurationError) as caught:
        Session(**options)
    found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [frame for frame in found.stack if "/seedream_api/" in frame.filename]
    assert inside and "sk-hidden" not in "".join(f"{frame.locals}" for frame in inside)
