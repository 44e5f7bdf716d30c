"""The guard: one spelling for each URL, and which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest

from seedream_api.errors import InvalidRequest, UnsafeURL
from seedream_api.network.url_guard import (
    MAX_URL_LENGTH,
    check_url,
    is_public,
    parse_ip_literal,
)

PUBLIC, OTHER_PUBLIC, PUBLIC_V6 = "93.184.215.14", "1.1.1.1", "2606:4700::1111"


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
def test_url_of_another_scheme_is_refused(text: str) -> None:
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
def test_host_name_is_not_parsed_as_an_address(host: str) -> None:
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
