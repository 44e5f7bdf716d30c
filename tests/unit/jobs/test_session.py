"""What results that the service names may reach: private hosts only where its own host is one."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seedream_api import (
    InvalidRequest,
    PictureReference,
    Request,
    Session,
    collect,
    collect_all,
    generate,
    load_settings,
)
from seedream_api.jobs import collect as collecting, resources
from seedream_api.jobs.upload_references import try_upload_target, upload_references
from seedream_api.ledger.states import State
from seedream_api.network.url_guard import FetchPolicy


def policy(home: Path, address: str) -> FetchPolicy:
    settings = load_settings(
        home, {"DEEPSPACE_BASE_URL": address, "DEEPSPACE_API_KEY": "sk-session-test"}
    )

    async def asked() -> FetchPolicy:
        async with Session(settings) as opened:
            first = await opened.resources.result_policy()
            assert await opened.resources.result_policy() == first
            return first

    return asyncio.run(asked())


class Names:
    """Serves look-ups, and counts them."""

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
    ],
)
def test_service_name_decides_once_on_private_results(
    home: Path, monkeypatch: pytest.MonkeyPatch, found: list[str], is_private: bool
) -> None:
    names = Names(*found)
    monkeypatch.setattr(resources, "resolve", names)
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
def test_address_in_numbers_is_not_looked_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str, is_private: bool
) -> None:
    names = Names("10.1.2.3")
    monkeypatch.setattr(resources, "resolve", names)
    assert policy(home, address).may_be_private is is_private and names.asked == []


def test_proxy_session_opens_nothing_private(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names("10.1.2.3")
    monkeypatch.setattr(resources, "resolve", names)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert policy(home, "https://service.example").may_be_private is False and names.asked == []


def test_failed_look_up_is_not_remembered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    monkeypatch.setattr(resources, "resolve", names)
    settings = load_settings(
        home, {"DEEPSPACE_BASE_URL": "https://service.example", "DEEPSPACE_API_KEY": "sk-s"}
    )

    async def asked() -> list[bool]:
        async with Session(settings) as opened:
            first = await opened.resources.result_policy()
            names.found = ("10.1.2.3",)
            second, third = (
                await opened.resources.result_policy(),
                await opened.resources.result_policy(),
            )
            return [policy.may_be_private for policy in (first, second, third)]

    assert asyncio.run(asked()) == [False, True, True] and len(names.asked) == 2


# ---- where a session may be used ----


def used(opened: Session, home: Path) -> list[Callable[[], Coroutine[Any, Any, Any]]]:
    request = Request(model="Seedream-4.5", prompt="A cat")
    picture = PictureReference("a.png", 100, 100)
    row = SimpleNamespace(state=State.ANSWERED, id=1, task_id=None)
    return [
        lambda: generate(request, opened),
        lambda: collect("task-1", opened),
        lambda: collect_all(["task-1"], opened),
        lambda: collecting.resume(cast("Any", row), opened),
        lambda: upload_references([picture], opened),
        lambda: try_upload_target(opened),
    ]


@pytest.mark.parametrize("number", range(6))
def test_session_on_another_loop_is_refused_before_sending(home: Path, number: int) -> None:
    settings = load_settings(
        home,
        {"DEEPSPACE_BASE_URL": "http://127.0.0.1:9"},
    )
    opened = Session(settings)
    call = used(opened, home)[number]
    with pytest.raises(InvalidRequest, match="not open"):
        asyncio.run(call())
    loop = asyncio.new_event_loop()
    loop.run_until_complete(opened.__aenter__())
    with pytest.raises(InvalidRequest, match="another event loop"):
        asyncio.run(call())
    loop.run_until_complete(opened.close())
    with pytest.raises(InvalidRequest, match="opened before"):
        loop.run_until_complete(call())
    with pytest.raises(InvalidRequest, match="opened before"):
        loop.run_until_complete(opened.__aenter__())
    loop.run_until_complete(opened.close())  # closing twice is allowed
    loop.close()


def test_session_whose_loop_has_ended_gives_its_ledger_up(home: Path) -> None:
    settings = load_settings(home, {"DEEPSPACE_BASE_URL": "http://127.0.0.1:9"})
    opened = asyncio.run(Session(settings).__aenter__())
    asyncio.run(opened.close())
    assert not list((home / "owners").glob("*.lock"))
