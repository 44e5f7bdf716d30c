"""The guard: which URLs may be fetched, and to which address a connection goes."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Mapping, Sequence

import pytest

from seedream_api.errors import InvalidRequest, UnsafeURL
from seedream_api.network.url_guard import (
    MAX_URL_LENGTH,
    FetchPolicy,
    check_url,
    is_public,
    parse_ip_literal,
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


@pytest.mark.parametrize(
    ("given", "spelling"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        (
            "  HTTPS://Example.COM:8443/A.png?X=%2F&y#part ",
            "https://example.com:8443/A.png?X=%2F&y",
        ),
        ("http://example.com.", "http://example.com"),
        ("http://example.com:/a", "http://example.com/a"),
        ("http://93.184.215.14/a", "http://93.184.215.14/a"),
        ("http://[2606:4700:0::1111]:8080/a", "http://[2606:4700::1111]:8080/a"),
        ("https://bücher.example/ü.png", "https://xn--bcher-kva.example/ü.png"),
        ("https://图片.example。com/a", "https://xn--wcsw84d.example.com/a"),
        ("https://straße.de/a", "https://xn--strae-oqa.de/a"),
        ("https://βόλος.com/", "https://xn--nxasmm1c.com/"),
        ("https://i❤.ws/", "https://xn--i-7iq.ws/"),
        ("https://example.com/a b.png?c d", "https://example.com/a%20b.png?c%20d"),
        ("https://example.com/a\u3000b", "https://example.com/a%E3%80%80b"),
        ("https://my_bucket-1.s3.example.com/a@b", "https://my_bucket-1.s3.example.com/a@b"),
    ],
)
def test_good_url_gets_its_one_spelling(given: str, spelling: str) -> None:
    assert check_url(given, field="urls") == spelling


@pytest.mark.parametrize(
    "text",
    [
        "", "picture.png", "example.com/a.png", "//example.com/a", "/etc/passwd", "C:\\a.png",
        "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/_x", "dict://a:11211/",
        "data:image/png;base64,AAAA", "javascript:alert(1)", "blob:https://example.com/1",
        "unix:/var/run/docker.sock", "jar:http://example.com!/a", "httpx://example.com/",
    ],
)  # fmt: skip
def test_what_is_no_http_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_url(text, field="urls")
    assert caught.value.key == "url_not_http" and not isinstance(caught.value, UnsafeURL)
    assert caught.value.values["field"] == "urls"


@pytest.mark.parametrize(
    "text",
    [
        "http://", "http:///a", "http:/example.com/a", "http:example.com", "http://?a", "http://:80/",
        "http://user@example.com/", "http://user:pw@example.com/", "http://example.com@127.0.0.1/",
        "http://@example.com/", "http://127.0.0.1\\@example.com/", "http://example.com\\.evil.com/",
        "http://exa mple.com/", "http://example.com/\r\nHost: x",
        "http://example.com/\ta", "http://example.com/\x00", "http://example.com/\x7f",
        "http://example.com/\u202egnp.a", "http://exa\u3000mple.com/a",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:80:80/",
        "http://example.com:-1/", "http://example.com:8o/", "http://example.com:\uff18/",
        "http://[::1/", "http://::1/", "http://[::1]evil.com/", "http://[::1%25eth0]/",
        "http://[v1.fe80]/", "http://[127.0.0.1]/", "http://[]/",
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "http://127.0.0.1./", "http://010.8.8.8/", "http://08.8.8.8/", "http://0/", "http://134744072/",
        "http://127.0.0.256/", "http://1.2.3.4.5/", "http://example.0x7f/", "http://4294967296/",
        "http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.0.0.1/",
        "http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/", "http://example%2ecom/",
        "http://exam\u00adple\u200b.com/", "http://a..b/", "http://-a.com/", "http://a\u2025b/",
        f"http://{'a' * 64}.com/", f"http://{'a.' * 127}com/", f"http://{'é' * 300}.com/",
        "http://ex{am}ple.com/", "http://example.com,evil.com/", "http://*.example.com/",
        f"http://example.com/{'a' * MAX_URL_LENGTH}", "http://a\u2100b.com/", "http://\ud800.com/",
    ],
)  # fmt: skip
def test_url_that_readers_may_take_differently_is_refused(text: str) -> None:
    with pytest.raises(UnsafeURL) as caught:
        check_url(text, field="urls")
    assert caught.value.key == "url_malformed"
    assert len(str(caught.value.values["given"])) < 250


def test_refusal_shows_no_secret_of_the_url() -> None:
    with pytest.raises(UnsafeURL) as caught:
        check_url("https://me:hunter2@example.com/a?Signature=abcdef", field="urls")
    assert "hunter2" not in str(caught.value) and "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"), ("017700000001", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("0", "0.0.0.0"), ("0x", "0.0.0.0"),
        ("127.0.0.1.", "127.0.0.1"), ("127.65535", "127.0.255.255"), ("%31%32%37.1", "127.0.0.1"),
        ("１２７.0.0.1", "127.0.0.1"), ("127。0。0。1", "127.0.0.1"), ("①②⑦.0.0.1", "127.0.0.1"),
        ("0xa9.0xfe.0xa9.0xfe", "169.254.169.254"), ("2852039166", "169.254.169.254"),
        ("[::1]", "::1"), ("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%25eth0", "fe80::1"), ("[::ffff:7f00:1]", "::ffff:127.0.0.1"),
    ],
)  # fmt: skip
def test_every_spelling_of_an_address_is_read(host: str, address: str) -> None:
    assert parse_ip_literal(host) == ipaddress.ip_address(address)


@pytest.mark.parametrize(
    "host", ["example.com", "", "256.1", "1.2.3.4.5", "0xg", "127.0.0.1.nip.io", "1" * 5000, "a.1"]
)
def test_name_is_no_address(host: str) -> None:
    assert parse_ip_literal(host) is None


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
        "2001:0:7f00:1::f5ff:fffe", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1",
        "2001:2::1",
        "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_address_off_the_public_internet_is_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        PUBLIC, OTHER_PUBLIC, "172.32.0.1", "100.128.0.1", "198.20.0.1", "11.0.0.1", PUBLIC_V6,
        "2a00:1450:4001::200e", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1",
    ],
)  # fmt: skip
def test_public_address_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


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
