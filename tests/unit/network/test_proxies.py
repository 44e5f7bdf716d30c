"""Which way a request goes: by the proxy chosen or the environment's, never to this machine."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from seedream_api.errors import ConfigurationError, NotSent
from seedream_api.network.proxies import find_proxy
from seedream_api.network.transport import Transport
from support.transport_calls import Serve, post, run, talkative

SERVICE = "https://service.example.com/v1/images/generations"


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad"]
)
def test_proxy_that_refuses_the_tunnel_means_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    proxy = serve(lambda caller: (caller.request(), caller.answer(b"", status=status)))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    seen: list[str] = []
    with pytest.raises(NotSent) as caught:
        run(lambda client: post(client, SERVICE, seen))
    assert seen == [] and status[:3] in str(caught.value)
    assert proxy.read.startswith(b"CONNECT service.example.com:443") and b"POST" not in proxy.read


def test_proxy_that_is_not_there_means_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(talkative)
    proxy.close()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(NotSent):
        run(lambda client: post(client, SERVICE))


def test_loopback_never_goes_to_a_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(talkative), serve(talkative)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
    assert run(lambda client: post(client, server.url())).status == 200
    assert proxy.callers == []
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "[::1]"):
        assert find_proxy(f"http://{host}:1/", "") is None
        assert find_proxy(f"http://{host}:1/", "http://q:1") is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "p:1"}, "http://p:1"),
        ({"http_proxy": "http://p:1"}, None),
        ({"all_proxy": "socks5://p:1"}, "socks5://p:1"),
        ({"https_proxy": "http://p:1", "all_proxy": "socks5://q:1"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "example.com"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": ".example.com,other"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "xample.com"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "service.example.com:443"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "service.example.com:8443"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "other *.example.com"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "Example.COM., x"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "http://p:1"),
        ({"all_proxy": "socks://p:1/"}, "socks5://p:1"),
        ({"all_proxy": "SOCKS5H://me:pw@p:1"}, "socks5://me:pw@p:1"),
        ({"https_proxy": " http://p:1/ "}, "http://p:1"),
    ],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the system's own settings count")
def test_environment_gives_proxy_and_excluded_hosts(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], expected: str | None
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(SERVICE, "") == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "socks5://q:1"),
        ({"https_proxy": "http://p:1", "all_proxy": "http://p:1"}, "socks5://q:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "other.example"}, "socks5://q:1"),
        ({"no_proxy": "example.com"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, None),
    ],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the system's own settings count")
def test_chosen_proxy_overrides_environment_except_no_proxy(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], expected: str | None
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Transport("socks5://q:1").find_proxy(SERVICE) == expected


@pytest.mark.parametrize(
    ("url", "excepted", "is_direct"),
    [
        ("https://10.1.2.3/", "10.0.0.0/8", True),
        ("https://10.1.2.3/", "localhost,10.1.2.3:443", True),
        ("https://10.1.2.3/", "10.1.2.3:80", False),
        ("https://11.1.2.3/", "10.0.0.0/8", False),
        ("https://[2001:db8::1]:8443/", "[2001:db8::1]:8443", True),
        ("https://[2001:db8::1]/", "2001:db8::/32", True),
        ("https://bücher.example/", "xn--bcher-kva.example", True),
        ("https://10.1.2.3/", "nonsense/99,::,:,a:b:c", False),
    ],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the system's own settings count")
def test_no_proxy_takes_ports_and_networks(
    monkeypatch: pytest.MonkeyPatch, url: str, excepted: str, is_direct: bool
) -> None:
    monkeypatch.setenv("no_proxy", excepted)
    assert (find_proxy(url, "http://p:1") is None) is is_direct


@pytest.mark.parametrize("proxy", ["ftp://p:1", "socks4://p:1", "http://p:notaport"])
def test_unusable_proxy_fails_before_sending(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    seen: list[str] = []
    with pytest.raises(ConfigurationError) as caught:
        run(lambda client: post(client, SERVICE, seen))
    assert caught.value.key == "bad_proxy" and seen == []


def test_proxys_password_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("ftp://user:hunter2@p:1", "http://user:hunter2@p:notaport"):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(ConfigurationError) as caught:
            run(lambda client: post(client, SERVICE))
        assert "hunter2" not in str(caught.value)


def test_socks_proxy_without_its_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match="socksio"):
        run(lambda client: post(client, SERVICE))


def test_socks_resolves_the_name_at_the_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def talk(caller: Any) -> None:
        caller.socket.recv(64)
        caller.say(b"\x05\x00")
        asked.append(caller.socket.recv(256))
        caller.say(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        talkative(caller)

    proxy = serve(talk)
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{proxy.port}")
    seen: list[str] = []
    url = SERVICE.replace("https", "http")
    assert run(lambda client: post(client, url, seen)).status == 200
    assert seen == ["moment"] and b"service.example.com" in asked[0]
