"""The proxy of the settings: one spelling, no password echoed, told before anything is sent."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seedream_api.config.settings import Settings, load_settings
from seedream_api.errors import ConfigurationError

CHINESE = "代理"


def load(home: Path, proxy: Any) -> Settings:
    home.mkdir(exist_ok=True)
    (home / "settings.json").write_text(json.dumps({"SEEDREAM_PROXY": proxy}), "utf-8")
    return load_settings(environ={"SEEDREAM_HOME": str(home)})


def refusal(home: Path, proxy: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load(home, proxy)
    return caught.value


@pytest.mark.parametrize(
    ("given", "proxy"),
    [
        ("", ""),
        ("http://proxy.example:8080", "http://proxy.example:8080"),
        ("HTTP://proxy.example:8080/", "http://proxy.example:8080"),
        ("https://proxy.example", "https://proxy.example"),
        ("127.0.0.1:7890", "http://127.0.0.1:7890"),
        ("localhost:7890", "http://localhost:7890"),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("socks5h://[::1]:1080", "socks5://[::1]:1080"),
        ("http://me:p%40ss@proxy.example:3128", "http://me:p%40ss@proxy.example:3128"),
        ("me:secret@proxy.example:3128", "http://me:secret@proxy.example:3128"),
    ],
)
def test_proxy_has_one_spelling(home: Path, given: str, proxy: str) -> None:
    assert load(home, given).proxy == proxy


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("ftp://proxy.example", "http, https or socks5"),
        ("socks4://proxy.example:1", "http, https or socks5"),
        ("http://", "no host"),
        ("http://:8080", "no host"),
        ("http://a\\b:8080", "backslash"),
        ("http://a:8080/X", "path"),
        ("http://proxy.example:port", "parsed"),
        ("http://proxy.example:99999", "parsed"),
        ("http://[::1", "parsed"),
        ("http://proxy.example/path", "path"),
        ("http://proxy.example?x=1", "query"),
        ("http://two hosts:1", "space"),
        ("a proxy", "space"),
    ],
)
def test_invalid_proxy_is_refused_with_its_reason(home: Path, given: str, reason: str) -> None:
    error = refusal(home, given)
    assert error.key == "bad_proxy" and reason in error.message("en")
    assert "SEEDREAM_PROXY" in error.message("en") and CHINESE in error.message("zh")
    assert reason not in error.message("zh")


@pytest.mark.parametrize(
    "given",
    [
        "ftp://me:hunter2@proxy.example",
        "http://me:hunter2/1@proxy.example:1",
        "http://me:hunter2#1@proxy.example:1",
        "http://me:1?hunter2@proxy.example:1",
        "http://me:hunter2@proxy.example:99999",
        "http://me:hunter2@",
        "me:hunter2@two hosts",
        "http://proxy.example?hunter2",
        "http://proxy.example/#hunter2",
    ],
)
def test_what_may_be_a_password_is_never_echoed(home: Path, given: str) -> None:
    error = refusal(home, given)
    assert "hunter2" not in str(error) + json.dumps(error.to_record())


def test_no_repr_shows_the_password(home: Path) -> None:
    settings = load(home, "http://me:hunter2@proxy.example:1")
    assert "hunter2" not in repr(settings) + repr(settings.values["SEEDREAM_PROXY"])


def test_socks_without_its_package_says_how_to_have_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    error = refusal(home, "socks5://me:hunter2@127.0.0.1:1080")
    assert error.key == "no_socks_library" and "hunter2" not in str(error)
    assert f'"{sys.executable}" -m pip install "socksio' in error.message("en")
    assert "socksio" in error.message("zh") and load(home, "http://127.0.0.1:1").proxy
