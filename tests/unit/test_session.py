"""What results that the service names may reach: private hosts only where its own host is one."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from typing import Any

import pytest

from seedream_api import Session, load_settings, session
from seedream_api.addresses import Policy


def policy(home: Path, address: str) -> Policy:
    settings = load_settings(
        home, {"DEEPSPACE_BASE_URL": address, "DEEPSPACE_API_KEY": "sk-session-test"}
    )

    async def asked() -> Policy:
        async with Session(settings) as opened:
            first = await opened.result_policy()
            assert await opened.result_policy() == first
            return first

    return asyncio.run(asked())


class Names:
    """Answers look-ups, and counts them."""

    def __init__(self, *found: str) -> None:
        self.found = found
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[Any]:
        self.asked.append((host, port))
        if not self.found:
            raise OSError(f"{host} is not known")
        return [ipaddress.ip_address(one) for one in self.found]


@pytest.mark.parametrize(
    ("found", "is_private"),
    [
        (["10.1.2.3"], True),
        (["192.168.0.9", "8.8.8.8"], True),
        (["8.8.8.8"], False),
        (["8.8.8.8", "2606:4700::1111"], False),
        ([], False),  # a name that leads nowhere opens nothing
    ],
)
def test_a_services_name_decides_once_whether_its_results_may_be_private(
    home: Path, monkeypatch: pytest.MonkeyPatch, found: list[str], is_private: bool
) -> None:
    names = Names(*found)
    monkeypatch.setattr(session, "resolve", names)
    assert policy(home, "https://service.example:8443").may_be_private is is_private
    assert names.asked == [("service.example", 8443)]


@pytest.mark.parametrize(
    ("address", "is_private"),
    [
        ("http://127.0.0.1:9", True),
        ("http://localhost:9", True),
        ("https://10.0.0.7", True),
        ("https://8.8.8.8", False),
    ],
)
def test_an_address_in_numbers_is_not_looked_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str, is_private: bool
) -> None:
    names = Names("10.1.2.3")
    monkeypatch.setattr(session, "resolve", names)
    assert policy(home, address).may_be_private is is_private and names.asked == []


def test_behind_a_proxy_nothing_private_is_opened_and_nothing_looked_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("10.1.2.3")
    monkeypatch.setattr(session, "resolve", names)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert policy(home, "https://service.example").may_be_private is False and names.asked == []
