"""Decide which URLs may be fetched: an unknown workflow must not reach private networks.

A name is resolved once and the connection goes to the address that was checked, so a DNS change in
between has no effect. Behind an HTTP or SOCKS proxy the proxy resolves names; syntax and names that
are always private are still checked here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import InvalidRequest, UnsafeURL
from ..messages import Text
from ..redaction import strip_url_secrets
from .hosts import (
    IPV4_PART,
    Address,
    is_local_host as is_local_host,
    parse_ip_literal as parse_ip_literal,
    to_ascii,
    to_lookup_name,
)

Resolver = Callable[[str, int], Iterable[str]]
"""Returns the addresses of a host and port; blocks, and raises ``OSError`` if there is none."""

MAX_URL_LENGTH = 8192
"""In characters. Signed URLs of object stores have up to about 2000."""
_QUOTED_LENGTH = 200

# Not ``is_global``: its result differs between Python 3.10 and 3.13.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's host agent: a public address that only guests can reach
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FAKE_RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32",
        "168.63.129.16/32", "192.0.0.192/32", "::/128", "fe80::/10", "ff00::/8",
        "fd00:ec2::254/128",
    )
)  # fmt: skip
"""Metadata services and unusable addresses: refused even if private hosts are allowed."""
_PRIVATE_ENDINGS = (
    "localhost", "local", "internal", "localdomain", "home.arpa",
    "intranet", "private", "corp", "home", "lan",  # RFC 6762, appendix G
)  # fmt: skip

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::([0-9]{0,5}))?")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,62})?")
_BLANKS = re.compile(r"[\x20\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")

# Lookups that hang must not occupy the threads that write files.
_LOOKUPS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="seedream-lookup")


@dataclass(frozen=True)
class FetchPolicy:
    """Which hosts outside the public internet may be accessed.

    Args:
        allowed_hosts: ``host`` or ``host:port`` in lower case; these are not checked further.
        may_be_private: for the result URLs of a service on a private host.
    """

    allowed_hosts: frozenset[str] = frozenset()
    may_be_private: bool = False

    def allows(self, host: str, port: int) -> bool:
        """Tell whether the user allowed this host (an IPv6 address with or without brackets)."""
        spellings = {host, f"{host}:{port}"} if ":" not in host else {host}
        spellings |= {f"[{host}]", f"[{host}]:{port}"}
        return not spellings.isdisjoint(self.allowed_hosts)


def check_url(text: str, *, field: str) -> str:
    """Check the syntax of a URL and normalize it (ASCII host in lower case, no fragment).

    Args:
        field: the input's name, for the message.

    Raises:
        InvalidRequest: it is not an http or https URL.
        UnsafeURL: it is one, but URL parsers may disagree about its host.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _malformed_error(text, Text("unparsable")) from None
    if parts.scheme not in ("http", "https"):
        raise InvalidRequest("url_not_http", field=field, given=_shorten(text))
    if len(text) > MAX_URL_LENGTH:
        raise _malformed_error(text, Text("url_too_long", count=MAX_URL_LENGTH))
    path, query = _quote_blanks(parts.path), _quote_blanks(parts.query)
    # Check the whole text, because urlsplit silently removes line ends.
    if "\\" in text or any(map(_is_blank_or_control, parts.netloc + _BLANKS.sub("", text))):
        raise _malformed_error(text, Text("odd_characters"))
    if "@" in parts.netloc:
        raise _malformed_error(text, Text("has_user_name"))
    if not parts.netloc:
        raise _malformed_error(text, Text("no_host"))
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise _malformed_error(text, Text("host_unreadable"))
    host, port = _check_host(text, authority[1]), authority[2] or ""
    if port and not 0 < int(port) < 65_536:
        raise _malformed_error(text, Text("port_out_of_range"))
    netloc = f"{host}:{int(port)}" if port else host
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _quote_blanks(text: str) -> str:
    """Quote blanks as browsers do (WHATWG URL, percent-encode sets)."""
    return _BLANKS.sub(lambda found: quote(found[0]), text)


def _check_host(text: str, host: str) -> str:
    if host.startswith("["):
        literal = parse_ip_literal(host)
        if not isinstance(literal, IPv6Address):
            raise _malformed_error(text, Text("host_not_ipv6"))
        return f"[{literal}]"
    try:
        name = to_ascii(host).removesuffix(".")
    except ValueError:
        raise _malformed_error(text, Text("host_not_a_name")) from None
    literal = parse_ip_literal(name)
    if literal is not None and str(literal) != host:
        # Programs read these forms differently.
        raise _malformed_error(text, Text("host_odd_spelling", address=literal))
    if literal is None and IPV4_PART.fullmatch(name.rpartition(".")[2]):
        raise _malformed_error(text, Text("host_ends_in_number"))
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise _malformed_error(text, Text("host_not_a_name"))
    return name


def _is_blank_or_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")


def _shorten(text: str) -> str:
    shown = strip_url_secrets(text)
    return shown if len(shown) <= _QUOTED_LENGTH else f"{shown[:_QUOTED_LENGTH]}…"


def _malformed_error(text: str, reason: str) -> UnsafeURL:
    return UnsafeURL("url_malformed", given=_shorten(text), reason=reason)


def is_public(address: Address) -> bool:
    """Tell whether an address and every IPv4 address inside it are on the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    embedded = embedded_ipv4(address)
    if embedded:
        return all(is_public(inner) for inner in embedded)
    return address in _GLOBAL_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def embedded_ipv4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """List the IPv4 addresses inside a mapped, NAT64, 6to4 or Teredo address."""
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    if address.teredo is not None:
        return address.teredo
    inner = address.ipv4_mapped or address.sixtofour
    return () if inner is None else (inner,)


def is_fake(address: Address) -> bool:
    """Tell whether a TUN proxy may have invented this address for a name that it resolves."""
    return address in _FAKE_RANGE


def getaddrinfo(host: str, port: int) -> list[str]:
    """Resolve a host with the system's resolver; blocks.

    Raises:
        OSError: there is none.
    """
    responses = socket.getaddrinfo(to_lookup_name(host), port, type=socket.SOCK_STREAM)
    return [str(response[4][0]) for response in responses]


async def resolve(host: str, port: int, *, resolver: Resolver = getaddrinfo) -> list[Address]:
    """Resolve a host, IPv4 first: a broken IPv6 route is common and costs a timeout.

    Raises:
        OSError: there is none.
    """
    loop = asyncio.get_running_loop()
    texts = await loop.run_in_executor(_LOOKUPS, resolver, host, port)
    found = [ipaddress.ip_address(text.partition("%")[0]) for text in dict.fromkeys(texts)]
    if not found:
        raise OSError(Text("host_without_address", host=host))
    return sorted(found, key=lambda address: address.version)


async def resolve_checked(
    url: str,
    policy: FetchPolicy,
    *,
    resolver: Resolver = getaddrinfo,
    proxied: bool,
    fake_range_ok: Callable[[], Awaitable[bool]],
    attempt: int = 0,
) -> str | None:
    """Resolve the host of a URL of :func:`check_url` to a checked address; ``None`` behind a proxy.

    Args:
        proxied: whether a proxy makes the connection, and so resolves the name.
        fake_range_ok: tells whether addresses in 198.18.0.0/15 lead to the public internet, as
            they do behind a TUN proxy; called only if a name resolves to one.
        attempt: the number of the attempt: each connects to another address of the host.

    Raises:
        UnsafeURL: the host, or one of its addresses, is neither public nor allowed.
        OSError: the name cannot be resolved.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    literal = parse_ip_literal(host)
    trusted = policy.allows(host, port)
    if not trusted and not policy.may_be_private and literal is None and _is_private_name(host):
        raise UnsafeURL("url_private", given=_shorten(url), address=host, host=host)
    if proxied and literal is None:
        return None
    found = [literal] if literal else await resolve(host, port, resolver=resolver)
    # A private address among public ones would slip past a check of the first only.
    for address in () if trusted else found:
        named_fake = literal is None and is_fake(address)
        if not _is_reachable(address, policy) and not (named_fake and await fake_range_ok()):
            raise UnsafeURL("url_private", given=_shorten(url), address=str(address), host=host)
    return None if proxied else str(found[attempt % len(found)])


def _is_reachable(address: Address, policy: FetchPolicy) -> bool:
    if not policy.may_be_private:
        return is_public(address)
    inside = embedded_ipv4(address) if isinstance(address, IPv6Address) else ()
    return not any(one in network for one in (address, *inside) for network in _NEVER)


def is_private_host(host: str) -> bool:
    """Tell whether a host is a private address, or a name that is always private."""
    address = parse_ip_literal(host)
    return _is_private_name(host) if address is None else not is_public(address)


def _is_private_name(host: str) -> bool:
    """Tell whether a name is always private: without a dot, or with a private ending."""
    return "." not in host or any(host.endswith(f".{ending}") for ending in _PRIVATE_ENDINGS)
