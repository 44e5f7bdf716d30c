"""How hosts are spelled: names in ASCII, and addresses in every form that programs read."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote

Address = IPv4Address | IPv6Address

V4_PART = re.compile(r"0x[0-9a-f]*|[0-9]+")
"""One number of an IPv4 address in the spellings of ``inet_aton``."""
_OCTAL = re.compile(r"0[0-7]*")


def to_ascii(host: str) -> str:
    """Spell a host name in ASCII and lower case as browsers do (UTS 46, non-transitional).

    Raises:
        ValueError: it is not a name.
    """
    if host.isascii():
        return host.lower()
    import idna  # comes with httpx; few hosts need its tables

    # The bound comes first: encoding a long name takes long.
    mapped = idna.uts46_remap(host[:254], std3_rules=False)
    return ".".join(map(_label_to_ascii, mapped.split(".")))


def _label_to_ascii(label: str) -> str:
    import idna

    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.InvalidCodepoint:  # emoji: IDNA 2008 has none, and names with them exist
        return f"xn--{label.encode('punycode').decode('ascii')}"


def to_lookup_name(host: str) -> str | bytes:
    """Convert a host to what ``getaddrinfo`` takes without searching for a codec.

    It encodes texts with the ``idna`` codec. Python 3.13.0 fails with a SystemError where the first
    search for that codec happens in a working directory that no longer exists.
    """
    return host.encode() if host.isascii() else host


def canonical_host(host: str) -> str:
    """Give the one spelling of a host by which a service is known.

    Raises:
        ValueError: it is not a name.
    """
    name = to_ascii(host).removesuffix(".")
    literal = None if "%" in name else literal_address(name)
    if isinstance(literal, IPv6Address):
        literal = literal.ipv4_mapped or literal
    if literal is not None:
        return str(literal)
    return "127.0.0.1" if name == "localhost" else name


def literal_address(host: str) -> Address | None:
    """The address that ``host`` spells, or ``None`` for a name.

    Also in the spellings of ``inet_aton`` (2130706433, 0x7f.1, 0177.0.0.1), with a trailing dot,
    percent-encoded, in full-width digits or with a zone id.
    """
    plain = unicodedata.normalize("NFKC", unquote(host)).replace("\u3002", ".").lower()
    plain = plain.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        return _old_spelling(plain)


def _old_spelling(text: str) -> IPv4Address | None:
    """What ``inet_aton`` reads: one to four numbers, the last one filling the bytes left over."""
    parts = text.split(".")
    if len(parts) > 4 or len(text) > 64 or not all(V4_PART.fullmatch(part) for part in parts):
        return None
    try:
        *leading, last = [_old_number(part) for part in parts]
    except ValueError:
        return None
    if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
        return None
    value = sum(number << (24 - 8 * place) for place, number in enumerate(leading))
    return IPv4Address(value + last)


def _old_number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if _OCTAL.fullmatch(text) else 10)


def is_local_host(host: str) -> bool:
    """Whether ``host`` is written as this machine: ``localhost`` or a loopback address."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
