"""Check that a request to the panels' routes comes from the page of this ComfyUI.

A browser sends the origin of a request (``Sec-Fetch-Site`` or ``Origin``). A request without either
may come from another program, or be an image that a page of this origin loads over plain http: it
may read but not change anything.

That alone proves nothing: after DNS rebinding, a page of ``thief.example`` has the same origin as
its requests to this machine. So the name in ``Host`` must be one that only its owner can point to
this machine. To other names browsers send ``Sec-Fetch-Site`` only over TLS, which proves the name.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import web
from comfy.cli_args import args

from ...seedream_api.errors import InvalidRequest


def check_own_page(request: web.Request) -> None:
    """Reject a request that a page of another origin makes.

    Raises:
        InvalidRequest: it comes from another page, or its host name proves nothing.
    """
    if not _is_same_origin(request):
        raise InvalidRequest("panel_cross_origin")
    name = _parse_name(request.headers.get("Host", ""))
    if not (_is_own_name(name) or _is_proven_by_tls(request)):
        raise InvalidRequest("panel_foreign_name", given=name[:80])


def _is_same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # "none": the user typed the URL.
        return site == "same-origin" or (site == "none" and request.method == "GET")
    origin = request.headers.get("Origin")
    if origin is None:
        return request.method == "GET"
    return origin.partition("://")[2].lower() == request.headers.get("Host", "").lower()


def _parse_name(host: str) -> str:
    """Parse the name or address in a ``Host`` header or in ``--listen``; empty if there is none."""
    try:
        return (urlsplit(f"//{host.strip()}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_own_name(name: str) -> bool:
    machine = socket.gethostname().lower()
    listened = {_parse_name(one) for one in str(args.listen or "").split(",") if one.count(":") < 2}
    known = {"localhost", machine, f"{machine}.local", *listened} - {""}
    return name in known or name.endswith(".localhost") or _is_ip_address(name)


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_proven_by_tls(request: web.Request) -> bool:
    """Tell whether the page was loaded over TLS, from ComfyUI or from a proxy in front of it."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").lower()
    is_https = request.secure or forwarded == "https"
    return is_https and request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")
