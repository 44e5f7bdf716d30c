"""Whether a request to the panels' routes comes from the page of this very ComfyUI.

A browser says where a request comes from (``Sec-Fetch-Site``, or ``Origin``). A request that says
nothing may come from no browser, or be a picture that a page of this origin loads over plain http:
it may read, and never change anything.

That alone is no proof: a page of ``thief.example`` whose name is made to lead to this machine (DNS
rebinding) is of the same origin as what it asks for. So the name in ``Host`` must be one that its
owner alone can make lead here. Browsers send ``Sec-Fetch-Site`` to another name over TLS only, and
TLS proves the name.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import web
from comfy.cli_args import args

from ...seedream_api.errors import InvalidRequest


def check_own_page(request: web.Request) -> None:
    """Let only requests pass that this ComfyUI's own page, or no browser, makes.

    Raises:
        InvalidRequest: another page makes it, or under a name that proves nothing.
    """
    if not _is_same_origin(request):
        raise InvalidRequest("panel_cross_origin")
    name = _name(request.headers.get("Host", ""))
    if not (_is_own_name(name) or _is_proven_by_tls(request)):
        raise InvalidRequest("panel_foreign_name", given=name[:80])


def _is_same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # "none": a person has typed the address.
        return site == "same-origin" or (site == "none" and request.method == "GET")
    origin = request.headers.get("Origin")
    if origin is None:
        return request.method == "GET"
    return origin.partition("://")[2].lower() == request.headers.get("Host", "").lower()


def _name(host: str) -> str:
    """The name or address in a ``Host`` header or in ``--listen``; empty if there is none."""
    try:
        return (urlsplit(f"//{host.strip()}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_own_name(name: str) -> bool:
    machine = socket.gethostname().lower()
    listened = {_name(one) for one in str(args.listen or "").split(",") if one.count(":") < 2}
    known = {"localhost", machine, f"{machine}.local", *listened} - {""}
    return name in known or name.endswith(".localhost") or _is_ip_address(name)


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_proven_by_tls(request: web.Request) -> bool:
    """Whether the page was loaded over TLS, from here or from a proxy in front of this ComfyUI."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").lower()
    is_https = request.secure or forwarded == "https"
    return is_https and request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")
