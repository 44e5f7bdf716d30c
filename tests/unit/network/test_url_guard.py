"""The guard: to which address a connection to a URL goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pytest

from seedream_api.errors import UnsafeURL
from seedream_api.network.url_guard import (
    FetchPolicy,
    resolve,
    resolve_checked,
)

PUBLIC, OTHER_PUBLIC, PUBLIC_V6 = "93.184.215.14", "1.1.1.1", "2606:4700::1111"


class Names:
    """A resolver with a fixed table; counts what it is asked."""

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        self.table = table
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.table:
            raise OSError("no such name")
        return self.table[host]


def connect(
    url: str,
    policy: FetchPolicy | None = None,
    *,
    names: Names | None = None,
    proxied: bool = False,
    behind_tun: bool = False,
    turn: int = 0,
) -> str | None:
    async def fake_range_ok() -> bool:
        return behind_tun

    return asyncio.run(
        resolve_checked(
            url,
            policy or FetchPolicy(),
            resolver=names or Names({}),
            proxied=proxied,
            fake_range_ok=fake_range_ok,
            attempt=turn,
        )
    )


def test_name_is_looked_up_once_and_its_checked_address_is_given() -> None:
    names = Names({"pictures.example": [PUBLIC]})
    assert connect("https://pictures.example/a", names=names) == PUBLIC
    assert names.asked == ["pictures.example"]


def test_lookup_runs_in_another_thread() -> None:
    threads: list[int] = []

    def resolver(host: str, port: int) -> list[str]:
        threads.append(threading.get_ident())
        return [f"{PUBLIC_V6}%3", PUBLIC, PUBLIC]

    found = asyncio.run(resolve("pictures.example", 443, resolver=resolver))
    assert [str(address) for address in found] == [PUBLIC, PUBLIC_V6], "IPv4 first, each once"
    assert threading.get_ident() not in threads


def test_each_attempt_takes_another_address() -> None:
    names = Names({"pictures.example": [PUBLIC_V6, PUBLIC, OTHER_PUBLIC]})
    given = [connect("http://pictures.example/", names=names, turn=turn) for turn in range(4)]
    assert given == [PUBLIC, OTHER_PUBLIC, PUBLIC_V6, PUBLIC]


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["fe80::1%2"],
        ["::ffff:10.0.0.1"],
        ["0.0.0.0"], ["224.0.0.1"], ["198.18.0.7"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC],
        [PUBLIC, PUBLIC_V6, "fd00::1"], ["64:ff9b::a00:1"],
    ],
)  # fmt: skip
def test_name_with_any_private_address_is_refused(answer: list[str]) -> None:
    with pytest.raises(UnsafeURL) as caught:
        connect("https://pictures.example/a?sig=1", names=Names({"pictures.example": answer}))
    assert caught.value.key == "url_private"
    assert caught.value.values["host"] == "pictures.example" and "sig=1" not in str(caught.value)


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "192.168.0.1", "198.18.0.1",
        "localhost", "a.localhost", "printer.local", "metadata.google.internal", "nas.lan",
        "intranet",
        "router.home.arpa", "2130706433", "0x7f.1", "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_private_hosts_are_refused_with_and_without_proxy(host: str, proxied: bool) -> None:
    names = Names({})
    with pytest.raises(UnsafeURL):
        connect(f"http://{host}/a", names=names, proxied=proxied, behind_tun=True)
    assert names.asked == [], "nothing is looked up for them"


def test_proxy_is_left_to_look_public_names_up() -> None:
    names = Names({})
    assert connect("https://pictures.example/", names=names, proxied=True) is None
    assert connect(f"https://{PUBLIC}/", names=names, proxied=True) is None
    assert names.asked == []


def test_fake_addresses_are_public_only_behind_a_tun_proxy() -> None:
    names = Names({"pictures.example": ["198.18.3.4"], "mixed.example": ["198.18.3.4", "10.0.0.1"]})
    assert connect("https://pictures.example/", names=names, behind_tun=True) == "198.18.3.4"
    with pytest.raises(UnsafeURL):
        connect("https://pictures.example/", names=names)
    with pytest.raises(UnsafeURL):
        connect("https://mixed.example/", names=names, behind_tun=True)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://nas.lan/a", "nas.lan"),
        ("http://nas.lan/a", "nas.lan:80"),
        ("https://nas.lan/a", "nas.lan:443"),
        ("http://nas.lan:8080/a", "nas.lan:8080"),
        ("http://192.168.1.5:9/a", "192.168.1.5"),
        ("http://[::1]:9/a", "::1"),
        ("http://[::1]:9/a", "[::1]"),
        ("http://[::1]:9/a", "[::1]:9"),
    ],
)
def test_listed_host_may_be_private(url: str, allowed: str) -> None:
    names = Names({"nas.lan": ["192.168.1.5"]})
    assert connect(url, FetchPolicy(frozenset({allowed})), names=names) in ("192.168.1.5", "::1")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://nas.lan:8081/a", "nas.lan:8080"),
        ("http://other.lan/a", "nas.lan"),
        ("http://a.nas.lan/a", "nas.lan"),
        ("http://192.168.1.5/a", "nas.lan"),
        ("http://[::1]/a", "127.0.0.1"),
    ],
)
def test_listing_a_host_lists_no_other(url: str, allowed: str) -> None:
    names = Names({"nas.lan": ["192.168.1.5"], "other.lan": ["192.168.1.5"]})
    with pytest.raises(UnsafeURL):
        connect(url, FetchPolicy(frozenset({allowed})), names=names)


def test_private_service_may_name_private_hosts_but_no_metadata() -> None:
    policy = FetchPolicy(may_be_private=True)
    assert connect("http://127.0.0.1:8188/a", policy) == "127.0.0.1"
    assert connect("http://relay/a", policy, names=Names({"relay": ["10.0.0.8"]})) == "10.0.0.8"
    for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "0.0.0.0"):
        with pytest.raises(UnsafeURL):
            connect(f"http://{host}/latest/meta-data", policy)


def test_unknown_name_is_an_os_error() -> None:
    with pytest.raises(OSError, match="no such name"):
        connect("https://nowhere.example/")
    with pytest.raises(OSError, match="no address"):
        connect("https://empty.example/", names=Names({"empty.example": []}))
