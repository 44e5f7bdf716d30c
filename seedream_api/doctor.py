"""Check the settings, key, address, proxy and balance, and report what is wrong, at no cost."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .catalog import list_missing
from .config.facts import describe_facts
from .config.paths import LEDGER_NAME, is_open_to_others, make_private_folder
from .config.settings import SETTINGS, Settings
from .errors import ApiRefused, ConfigurationError, LedgerFailed, ReadFailed, SeedreamError
from .jobs.session import Session
from .jobs.shared_store import build_bucket, try_bucket
from .jobs.upload_references import try_upload_target
from .ledger.ledger import SyncLedger
from .messages import Text, join_texts, text_of, to_chinese
from .network.proxies import CERTIFICATE_VARIABLES, find_proxy
from .network.url_guard import Resolver, getaddrinfo, is_fake, parse_ip_literal, resolve
from .redaction import bare_address
from .service.balance import get_balance
from .service.client import SeedreamClient
from .service.model_list import list_offered_models
from .uploads.bucket import BucketFailed


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        verdict: ``ok``, ``note`` (worth knowing, nothing is wrong) or ``problem``.
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
        return self.error.message("zh") if self.error else str(to_chinese(self.message))


def _problem(name: str, error: SeedreamError) -> Check:
    return Check(name, "problem", str(error), error=error)


async def run_checks(settings: Settings, *, resolver: Resolver = getaddrinfo) -> list[Check]:
    """Run every check, in the order in which a person should read them; none raises.

    Args:
        resolver: resolves host names; runs in a thread.
    """
    checks = [_check_setting(settings, name) for name in SETTINGS]
    checks.append(await asyncio.to_thread(_check_folder, settings))
    if settings.ledger_url:
        checks.append(await asyncio.to_thread(_check_ledger, settings))
    if settings.store_place:
        checks.append(await _check_store(settings))
    checks.append(_check_models(settings))
    if checks[-1].verdict != "problem":  # models have prices too
        checks.append(_check_prices(settings))
    checks.append(_check_facts(settings))
    checks.append(_check_profiles(settings))
    checks.append(_check_proxy(settings))
    if checks[-1].verdict != "problem":
        checks += await _check_names(settings, resolver)
    access = await check_access(settings)
    checks += access
    if access[0].name != "key":
        checks.append(await _check_uploads(settings))
    return checks


async def check_access(settings: Settings) -> list[Check]:
    """Check the key, address and balance of these settings; none raises."""
    try:
        _ = settings.key
    except ConfigurationError as error:
        return [_problem("key", error)]
    return await _check_service(settings)


def _check_setting(settings: Settings, name: str) -> Check:
    value = settings.values[name]
    text = value.text
    if name == "DEEPSPACE_API_KEY" and settings.is_built_in_sandbox:
        text = Text("sandbox_key")
    elif SETTINGS[name].secret:
        text = Text("set" if text else "not_set")
    elif "://" in text or "@" in text:
        text = bare_address(text)
    return Check(name, "ok", text or Text("not_set"), origin=value.origin)


def _check_folder(settings: Settings) -> Check:
    """Open the data folder, with the ledger in it unless machines share one."""
    home = settings.home
    try:
        if settings.ledger_url:
            make_private_folder(home)
        else:
            SyncLedger.open(settings).close()
    except OSError as error:
        failed = LedgerFailed("ledger_unwritable", path=home, reason=text_of(error))
        return _problem("home", failed)
    except LedgerFailed as error:
        return _problem("home", error)
    if is_open_to_others(settings.settings_file) or is_open_to_others(home / LEDGER_NAME):
        return Check("home", "note", Text("folder_open", path=home))
    return Check("home", "ok", Text("folder_writable", path=home))


def _check_ledger(settings: Settings) -> Check:
    """Open the ledger that machines share."""
    try:
        ledger = SyncLedger.open(settings)
    except LedgerFailed as error:
        return _problem("ledger", error)
    ledger.close()
    text = Text("ledger_shared", place=ledger.place, path=settings.home)
    return Check("ledger", "ok", text)


async def _check_store(settings: Settings) -> Check:
    """Put a small object into the bucket of ``SEEDREAM_STORE``, compare and delete it."""
    place = settings.text("SEEDREAM_STORE")
    try:
        undeleted = await try_bucket(build_bucket(settings))
    except ConfigurationError as error:
        return _problem("store", error)
    except BucketFailed as error:
        text = Text("store_unusable", place=place, reason=error.reason)
        return Check("store", "problem", text)
    if undeleted is not None:
        return Check("store", "note", Text("store_keeps", place=place, reason=undeleted))
    return Check("store", "ok", Text("store_works", place=place))


def _check_models(settings: Settings) -> Check:
    try:
        return Check("models", "ok", ", ".join(settings.models))
    except ConfigurationError as error:
        return _problem("models", error)


def _check_prices(settings: Settings) -> Check:
    """Check the price table, and list models without a price."""
    try:
        table = settings.prices
    except ConfigurationError as error:
        return _problem("prices", error)
    unpriced = [model for model in settings.models if model not in table.models]
    if not table.models:
        return Check("prices", "ok", Text("no_prices"))
    if unpriced:
        return Check("prices", "note", Text("models_unpriced", models=", ".join(unpriced)))
    return Check("prices", "ok", Text("prices_known", currency=table.currency))


def _check_facts(settings: Settings) -> Check:
    """Show what a probe learned about this address."""
    facts = settings.facts
    if facts.is_empty:
        return Check("facts", "ok", Text("facts_none"))
    known = join_texts(describe_facts(facts))
    return Check("facts", "ok", Text("facts_known", facts=known, date=facts.checked_on))


def _check_profiles(settings: Settings) -> Check:
    """List the profiles; the first one that cannot be used is a problem."""
    names = [name for name in settings.profiles if name]
    try:
        for name in names:
            _ = settings.for_profile(name).key
    except ConfigurationError as error:
        return _problem("profiles", error)
    return Check("profiles", "ok", ", ".join(names) or Text("none"))


def _check_proxy(settings: Settings) -> Check:
    if settings.is_built_in_sandbox:
        return Check("proxy", "ok", Text("proxy_not_needed"))
    bundle = next((os.environ[v] for v in CERTIFICATE_VARIABLES if os.environ.get(v)), None)
    if bundle and not Path(bundle).exists():
        return Check("certificates", "problem", Text("path_missing", path=bundle))
    try:
        proxy = find_proxy(settings.address, settings.proxy)
    except ConfigurationError as error:
        return _problem("proxy", error)
    if proxy is None:
        own = ["SEEDREAM_PROXY"] if settings.proxy else []
        others = ", ".join([*own, *sorted(urllib.request.getproxies())]) or Text("none")
        return Check("proxy", "ok", Text("proxy_unused", names=others))
    return Check("proxy", "note", Text("proxy_used", proxy=bare_address(proxy)))


async def _check_names(settings: Settings, resolver: Resolver) -> list[Check]:
    """Resolve the service's host name, unless a proxy does."""
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
        text = Text("name_unresolved", host=host, reason=text_of(error))
        return [Check("names", "problem", text)]
    shown = ", ".join(map(str, found))
    if all(map(is_fake, found)):
        return [Check("names", "note", Text("name_faked", host=host, addresses=shown))]
    return [Check("names", "ok", Text("name_resolved", host=host, addresses=shown))]


async def _check_service(settings: Settings) -> list[Check]:
    try:
        async with SeedreamClient(settings) as client:
            return [await _check_key(client), await _check_balance(client)]
    except SeedreamError as error:
        return [_problem("service", error)]


async def _check_uploads(settings: Settings) -> Check:
    """Upload a tiny image to the configured target, and fetch it again."""
    try:
        async with Session(settings) as session:
            sent = await try_upload_target(session)
    except SeedreamError as error:
        return _problem("uploads", error)
    if sent is not None:
        text = Text("upload_works", target=sent.target, life=_life(sent.expires_at))
        return Check("uploads", "ok", text)
    if settings.text("SEEDREAM_UPLOAD") == "inline":
        return Check("uploads", "note", Text("upload_inline"))
    return Check("uploads", "note", Text("upload_unset"))


def _life(expires_at: float | None) -> Text:
    if expires_at is None:
        return Text("life_unknown")
    return Text("life_hours", hours=f"{max(0.0, expires_at - time.time()) / 3600:.1f}")


async def _check_key(client: SeedreamClient) -> Check:
    try:
        offered = await list_offered_models(client)
    except (ApiRefused, ReadFailed) as error:
        return _problem("service", error)
    if offered is None:
        return Check("service", "note", Text("no_model_list"))
    missing = list_missing(offered, client.settings.models)
    if offered and missing:
        return Check("service", "note", Text("models_unlisted", models=", ".join(missing)))
    return Check("service", "ok", Text("key_accepted", host=urlsplit(client.base_url).netloc))


async def _check_balance(client: SeedreamClient) -> Check:
    try:
        balance = await get_balance(client)
    except ApiRefused:  # the key was accepted; some relays only keep this path to themselves
        return Check("balance", "note", Text("balance_unknown"))
    if balance.is_unlimited:
        verdict = "ok"
    elif balance.left is None:
        verdict = "note"
    else:
        verdict = "ok" if balance.left > 0 else "problem"
    return Check("balance", verdict, balance.describe())
