"""``doctor --probe``: ask the service, after a question also for money, and save what it says."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

from .._version import __version__
from ..config.facts import Facts, save_facts
from ..config.prices import PriceTable
from ..config.settings import Settings
from ..errors import InvalidRequest
from ..jobs.session import Session
from ..messages import Text, join_texts, localize, to_chinese
from ..probe.free import probe_free
from ..probe.paid import Trial, plan_trials, probe_paid, with_inline_uploads
from ..probe.report import Finding, ProbeReport
from ..redaction import bare_address
from .output import Outcome, say
from .session import open_settings, run_in_session


def run_probe(arguments: argparse.Namespace) -> Outcome:
    """Probe the service of the settings.

    Raises:
        InvalidRequest: a paid probe cannot ask whether it may pay.
        SeedreamError: the settings cannot be used.
    """
    if arguments.paid and not arguments.yes and not sys.stdin.isatty():
        raise InvalidRequest(
            "wrong_use", reason=Text("probe_needs_yes"), usage="doctor --probe --paid --yes"
        )
    return run_in_session(arguments, _probe, with_inline_uploads(open_settings(arguments)))


async def _probe(arguments: argparse.Namespace, session: Session) -> Outcome:
    settings = session.settings
    report = await probe_free(session.client)
    trials = plan_trials(settings.models, report.offered)
    offer = describe_offer(trials, settings.prices)
    has_paid = arguments.paid and (arguments.yes or await asyncio.to_thread(_ask, offer))
    try:
        if has_paid:
            await probe_paid(session, trials, report)
    finally:  # what an image was paid for is kept, whatever happens
        facts = await _save_learned(settings, report)
    return _build_outcome(settings, report, facts, has_paid=has_paid, count=len(trials))


async def _save_learned(settings: Settings, report: ProbeReport) -> Facts:
    facts = settings.facts
    if report.learned:
        today = time.strftime("%Y-%m-%d")
        facts = facts.merge({**report.learned, "checked_on": today})
        await asyncio.to_thread(save_facts, settings.home, settings.address, facts)
    return facts


def _ask(offer: Text) -> bool:
    """Say what the images cost, and ask on the terminal."""
    say(localize(offer))
    sys.stderr.write(localize(Text("probe_ask")))
    sys.stderr.flush()
    is_agreed = sys.stdin.readline().strip().lower() in ("y", "yes", "是")
    if not is_agreed:
        say(localize(Text("probe_declined")))
    return is_agreed


def describe_offer(trials: list[Trial], table: PriceTable) -> Text:
    """Describe the images of a paid probe and their price, as far as it is known."""
    images = [" ".join([trial.model.id, *trial.tiers[:1]]) for trial in trials]
    amounts = [_find_price(trial, table) for trial in trials]
    known = [amount for amount in amounts if amount]
    price = Text("probe_no_price")
    if known and len(known) == len(trials):
        price = Text("probe_price", amounts=" + ".join(known))
    return Text("probe_offer", count=len(trials), images=", ".join(images), price=price)


def _find_price(trial: Trial, table: PriceTable) -> str | None:
    """Return the price of one image with its reference; by the entry if the table has none."""
    tier = {trial.model.family.tier_field: trial.tiers[0]} if trial.tiers else {}
    if price := table.find(trial.model.id, tier, references=1):
        return f"{price.of(1)} {price.currency}"
    prices = trial.model.prices
    if not isinstance(prices, Mapping):
        return prices
    amount = prices.get(trial.tiers[0]) if trial.tiers else None
    reference = prices.get("reference")
    return " + ".join(filter(None, (amount, reference))) if amount else None


def _build_outcome(
    settings: Settings, report: ProbeReport, facts: Facts, *, has_paid: bool, count: int
) -> Outcome:
    closing = Text("probe_free", count=count)
    if has_paid:
        closing = Text("probe_paid", count=report.charged_images)
    payload: dict[str, Any] = {
        "version": __version__,
        "address": bare_address(settings.address),
        "findings": [finding.to_json() for finding in report.findings],
        "facts": facts.to_json(),
        "may_have_been_charged_images": report.charged_images,
        "notes": [closing],
        "notes_zh": [to_chinese(closing)],
    }
    lines = [localize(_describe(finding)) for finding in report.findings]
    is_silent = not any(finding.is_settled for finding in report.findings)
    return Outcome(payload, [*lines, localize(closing)], 1 if is_silent else 0)


def _describe(finding: Finding) -> Text:
    mark = "+" if finding.is_settled else "?"
    return join_texts([f"{mark} ", finding.question, " ", finding.finding], "", "")
