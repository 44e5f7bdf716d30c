"""Looks at settings, key, address, proxy and balance, and says what is wrong; nothing is paid."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from .config.paths import is_open_to_others
from .config.settings import SETTINGS, Settings
from .errors import ConfigurationError, LedgerFailed, SeedreamError
from .jobs.session import Session
from .jobs.upload_references import try_upload_target
from .ledger.ledger import SyncLedger
from .messages import chinese
from .network.proxies import CERTIFICATE_VARIABLES, find_proxy
from .network.transport import HttpResponse
from .network.url_guard import Resolver, getaddrinfo, is_fake, parse_ip_literal, resolve
from .redaction import bare_address
from .service.client import SeedreamClient
from .service.refusals import classify_rejection
from .service.stated_errors import parse_error

_STOCK_UNITS_A_DOLLAR = 500_000
"""Quota units of a stock new-api relay; an operator may have set another number."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        verdict: ``ok``, ``note`` (worth knowing, nothing is broken) or ``problem``.
        origin: where a setting's value came from.
    """

    name: str
    verdict: str
    message: str
    origin: str = ""
    error: SeedreamError | None = None

    @property
    def message_zh(self) -> str:
        """``message`` in Chinese; an error's ``message`` holds both languages."""
        return self.error.message("zh") if self.error else chinese(self.message)


async def run_checks(settings: Settings, *, resolver: Resolver = getaddrinfo) -> list[Check]:
    """Every check, in the order in which a person should read them; none of them raises.

    Args:
        resolver: looks names up; runs in a thread.
    """
    checks = [_setting(settings, name) for name in SETTINGS]
    checks.append(await asyncio.to_thread(_home, settings))
    checks.append(_models(settings))
    checks.append(_proxy(settings))
    if checks[-1].verdict != "problem":
        checks += await _names(settings, resolver)
    try:
        _ = settings.key
    except ConfigurationError as error:
        checks.append(Check("key", "problem", str(error), error=error))
        return checks
    checks += await _service(settings)
    checks.append(await _uploads(settings))
    return checks


def _setting(settings: Settings, name: str) -> Check:
    value = settings.values[name]
    text = value.text
    if name == "DEEPSPACE_API_KEY" and settings.is_built_in_sandbox:
        text = "the sandbox's own"
    elif SETTINGS[name].secret:
        text = "set" if text else "not set"
    elif "://" in text or "@" in text:
        text = bare_address(text)
    return Check(name, "ok", text or "not set", origin=value.origin)


def _home(settings: Settings) -> Check:
    try:
        ledger = SyncLedger(settings.home)
    except LedgerFailed as error:
        return Check("home", "problem", str(error), error=error)
    ledger.close()
    file = settings.settings_file
    if is_open_to_others(file) or is_open_to_others(ledger.path):
        return Check("home", "note", f"other users of this machine may read {settings.home}")
    return Check("home", "ok", f"{settings.home} can be written")


def _models(settings: Settings) -> Check:
    try:
        return Check("models", "ok", ", ".join(settings.models))
    except ConfigurationError as error:
        return Check("models", "problem", str(error), error=error)


def _proxy(settings: Settings) -> Check:
    if settings.is_built_in_sandbox:
        return Check("proxy", "ok", "not needed for the sandbox")
    bundle = next((os.environ[v] for v in CERTIFICATE_VARIABLES if os.environ.get(v)), None)
    if bundle and not Path(bundle).exists():
        return Check("certificates", "problem", f"{bundle} does not exist")
    try:
        proxy = find_proxy(settings.address, settings.proxy)
    except ConfigurationError as error:
        return Check("proxy", "problem", str(error), error=error)
    if proxy is None:
        own = ["SEEDREAM_PROXY"] if settings.proxy else []
        others = ", ".join([*own, *sorted(urllib.request.getproxies())]) or "none"
        return Check("proxy", "ok", f"not used for this address (proxies set: {others})")
    return Check("proxy", "note", f"{bare_address(proxy)} is used for this address")


async def _names(settings: Settings, resolver: Resolver) -> list[Check]:
    """Where the service's name leads, as far as it is looked up here."""
    parts = urlsplit(settings.address)
    host = parts.hostname or ""
    if (
        settings.is_sandbox
        or parse_ip_literal(host)
        or find_proxy(settings.address, settings.proxy)
    ):
        return []
    try:
        found = await resolve(host, parts.port or 443, resolver=resolver)
    except OSError as error:
        reason = error.strerror or error
        return [Check("names", "problem", f"{host} cannot be resolved ({reason})")]
    shown = ", ".join(map(str, found))
    if all(map(is_fake, found)):
        text = (
            f"{host} leads to {shown}, made up by a TUN proxy: here such addresses count as public"
        )
        return [Check("names", "note", text)]
    return [Check("names", "ok", f"{host} leads to {shown}")]


async def _service(settings: Settings) -> list[Check]:
    try:
        async with SeedreamClient(settings) as client:
            return [await _key_accepted(client), await _balance(client)]
    except SeedreamError as error:
        return [Check("service", "problem", str(error), error=error)]


async def _uploads(settings: Settings) -> Check:
    """Sends a tiny picture by the configured way, and fetches it back."""
    try:
        async with Session(settings) as session:
            sent = await try_upload_target(session)
    except SeedreamError as error:
        return Check("uploads", "problem", str(error), error=error)
    if sent is not None:
        text = (
            f"{sent.target}: a picture was sent and fetched back; it lives {_life(sent.expires_at)}"
        )
        return Check("uploads", "ok", text)
    if settings.text("SEEDREAM_UPLOAD") == "inline":
        text = "inline: pictures travel inside the request; Evolink models may refuse that"
        return Check("uploads", "note", text)
    return Check(
        "uploads",
        "note",
        "no way to upload is set up: Preferential models take pictures inline, Evolink models only "
        "by URL",
    )


def _life(expires_at: float | None) -> str:
    if expires_at is None:
        return "for as long as the host keeps it, which it does not say"
    return f"for {max(0.0, expires_at - time.time()) / 3600:.1f} h"


async def _key_accepted(client: SeedreamClient) -> Check:
    response = await client.transport.ask(f"{client.base_url}/v1/models", headers=client.headers())
    body = _body(response)
    failed = parse_error(body)
    if response.status == 200 and failed is None:
        listed = body.get("data")
        known = {
            str(cast("dict[str, Any]", one).get("id"))
            for one in (cast("list[Any]", listed) if isinstance(listed, list) else [])
            if isinstance(one, dict)
        }
        missing = [model for model in client.settings.models if model not in known]
        if known and missing:
            return Check("service", "note", f"the key works; not listed: {', '.join(missing)}")
        host = urlsplit(client.base_url).netloc
        return Check("service", "ok", f"{host} answers and accepts the key")
    if response.status == 404:
        return Check("service", "note", "it answers, but has no list of models to check the key by")
    refusal = classify_rejection(
        response.status, body, request_id=response.request_id,
        secrets=(client.settings.key.get_secret_value(),),
    )  # fmt: skip
    if refusal is not None:
        return Check("service", "problem", str(refusal), error=refusal)
    return Check("service", "problem", f"it answers with HTTP {response.status}")


async def _balance(client: SeedreamClient) -> Check:
    response = await client.transport.ask(
        f"{client.base_url}/api/usage/token", headers=client.headers()
    )
    body = _body(response)
    data = body.get("data")
    if response.status != 200 or not isinstance(data, dict):
        return Check("balance", "note", "the relay does not tell it")
    data = cast("dict[str, Any]", data)
    if data.get("unlimited_quota"):
        return Check("balance", "ok", "this key has no limit of its own")
    left = data.get("total_available")
    if not isinstance(left, (int, float)):
        return Check("balance", "note", "the relay does not tell it")
    dollars = left / _STOCK_UNITS_A_DOLLAR
    text = f"{left:.0f} quota units left (about {dollars:.2f} USD where the relay counts as usual)"
    return Check("balance", "ok" if left > 0 else "problem", text)


def _body(response: HttpResponse) -> dict[str, Any]:
    try:
        body: Any = response.json()
    except ValueError:
        return {"message": response.body[:200].decode("utf-8", "replace")}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
