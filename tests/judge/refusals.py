"""The closed list of refusals, written from the documents: what may be called free, and what not.

*Free*: the service said no. *Possible*: it may have taken money. *Made*: an image is here.
Where the documents leave a case open, more than one of them is allowed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .facts import Facts, Fault
from .wire import Fidelity, Spec

FREE, POSSIBLE, MADE = "free", "possible", "made"

REDIRECTS = (301, 302, 303, 307, 308)
ODD_REDIRECTS = (300, 304, 305, 306)
NEVER_REFUSED_4XX = (408,)
"""The time-out of a request, as a gateway in front tells it; every other 4xx says no."""
RELAY_ERRORS = (500, 503)
"""The 5xx with which a stock relay states its own refusals."""
FAILING_WORDS = ("failed", "FAILED", "FAILURE", "failure", "cancelled", "Failed")
GATEWAYS = (502, 504, *range(520, 531))
_RELAY_REFUSALS = (Fault.BEFORE_FORWARDING, Fault.NO_CHANNEL)
_READ = (Fidelity.WHOLE, Fidelity.READABLE)
_SAID = (Fault.PLAIN, Fault.RELAY_WORDS, Fault.BEFORE_FORWARDING, Fault.NO_CHANNEL, Fault.TROUBLE)
"""Errors that a success may state."""


@dataclass(frozen=True)
class Verdict:
    """What may come of a response to a POST.

    Args:
        outcomes: the allowed ones, as far as this response alone decides.
        may_repeat: whether one run may send the request again.
        images: what has to be delivered.
        must_poll: whether the task has to be asked for.
        by_poll: whether what the poll says may or does decide.
    """

    outcomes: frozenset[str]
    may_repeat: bool = False
    images: tuple[int, ...] = ()
    must_poll: bool = False
    by_poll: bool = False


def verdict(spec: Spec, facts: Facts, fidelity: Fidelity) -> Verdict:
    """The verdict on the response to a POST that may be charged."""
    if fidelity in (Fidelity.HEADLESS, Fidelity.NOTHING):
        says_no = is_plain_4xx(spec.status) or spec.status in (*REDIRECTS, *ODD_REDIRECTS)
        free = {FREE} if says_no and fidelity is Fidelity.HEADLESS else set[str]()
        repeat = bool(free) and spec.status == 429
        return Verdict(frozenset({POSSIBLE, MADE} | free), repeat, by_poll=facts.has_id)
    if 200 <= spec.status < 300:
        return _success(spec, facts, fidelity)
    if facts.has_image or facts.has_id:
        return _error_with_result(spec, facts, fidelity)
    repeat = may_repeat(spec.status, facts)
    return Verdict(frozenset(_failure(spec, facts, fidelity)), may_repeat=repeat)


def may_repeat(status: int, facts: Facts) -> bool:
    """429, and 503 where no channel took the request."""
    codes = (Fault.NO_CHANNEL, Fault.BEFORE_FORWARDING)
    return status == 429 or (status == 503 and facts.fault in codes)


def _success(spec: Spec, facts: Facts, fidelity: Fidelity) -> Verdict:
    is_read = fidelity in _READ and not spec.is_odd
    if facts.is_running:
        # First images do not end the task: the poll says what comes of the task.
        own = frozenset({POSSIBLE, MADE})
        return Verdict(own, must_poll=is_read, by_poll=True)
    if facts.images and is_read:
        return Verdict(frozenset({MADE}), images=facts.images)
    if facts.task_id is not None and is_read and not facts.odd_images:
        # An error beside the id leaves the outcome unknown until the task has been asked for.
        if facts.word in FAILING_WORDS:
            return Verdict(frozenset({FREE, POSSIBLE}), by_poll=True)
        has_doubt = facts.fault or facts.entry_errors or facts.unreadable
        own = {POSSIBLE} if has_doubt or fidelity is not Fidelity.WHOLE else set[str]()
        return Verdict(frozenset(own), must_poll=True, by_poll=True)
    if facts.has_image or facts.has_id:
        return Verdict(frozenset({POSSIBLE, MADE}), by_poll=facts.has_id)
    if fidelity is Fidelity.PARTIAL or facts.strange:
        return Verdict(frozenset({POSSIBLE}))
    if facts.unreadable:
        # Entries without anything in them, beside an error that says so: both readings are just.
        free = {FREE} if facts.fault in _SAID or facts.entry_errors else set[str]()
        return Verdict(frozenset({POSSIBLE} | free))
    if facts.entry_errors:
        return Verdict(frozenset({FREE, POSSIBLE}))
    # The relay may put its own 429 into a 200.
    repeat = facts.fault is Fault.RELAY_WORDS and '"code": 429' in json.dumps(spec.document)
    return Verdict(frozenset(_stated_error(spec, facts, fidelity)), may_repeat=repeat)


def _stated_error(spec: Spec, facts: Facts, fidelity: Fidelity) -> set[str]:
    """A success status whose body states an error and carries nothing else."""
    if facts.fault is None or facts.fault is Fault.GATEWAY_NUMBER:
        return {POSSIBLE}
    # An error under another success is documented nowhere.
    is_known = spec.status == 200 and spec.is_clear
    is_clear = fidelity is Fidelity.WHOLE and is_known
    if facts.fault is Fault.TROUBLE or not is_clear:
        return {FREE, POSSIBLE}
    return {FREE}


def _error_with_result(spec: Spec, facts: Facts, fidelity: Fidelity) -> Verdict:
    """An error status whose body carries an image or an id: on no list of refusals."""
    is_read = fidelity in _READ and not spec.is_odd
    is_known = bool(facts.images) or facts.task_id is not None
    has_no = is_plain_4xx(spec.status) or spec.status in REDIRECTS
    if has_no and not (is_read and is_known):
        # What arrived may show nothing of it: the status alone speaks.
        both = frozenset({FREE, POSSIBLE, MADE})
        return Verdict(both, may_repeat=spec.status == 429, by_poll=facts.has_id)
    has_error = facts.fault is not None or facts.entry_errors
    is_lost = not is_plain_4xx(spec.status) and spec.status >= 400 and not has_error
    if is_read and is_lost and facts.images:
        return Verdict(frozenset({MADE}), images=facts.images)
    if is_read and is_lost and facts.task_id is not None and not facts.has_image:
        return Verdict(frozenset({POSSIBLE}), must_poll=True, by_poll=True)
    # An error response may name the request it belongs to: its status and its error count.
    is_said = is_plain_4xx(spec.status) and facts.fault in _SAID and not facts.has_image
    is_relay = spec.status >= 500 and spec.status not in GATEWAYS and not (
        facts.has_image or facts.task_id is not None
    )  # fmt: skip
    is_said_before = is_relay and facts.fault in _RELAY_REFUSALS
    is_free = is_said or is_said_before or spec.status in (*REDIRECTS, *ODD_REDIRECTS)
    free = {FREE} if is_free else set[str]()
    repeat = (is_said and spec.status == 429) or (is_said_before and spec.status == 503)
    return Verdict(frozenset({POSSIBLE, MADE} | free), repeat, by_poll=facts.has_id)


def is_plain_4xx(status: int) -> bool:
    return 400 <= status < 500 and status not in NEVER_REFUSED_4XX


def _failure(spec: Spec, facts: Facts, fidelity: Fidelity) -> set[str]:
    """An error status without image and id."""
    status, is_whole = spec.status, fidelity is Fidelity.WHOLE
    if status in REDIRECTS:
        return {FREE} if is_whole else {FREE, POSSIBLE}
    if status in ODD_REDIRECTS:
        return {FREE, POSSIBLE}
    if is_plain_4xx(status):
        has_doubt = facts.fault is Fault.GATEWAY_NUMBER or facts.entry_errors or (
            facts.unreadable and not facts.is_text
        )  # fmt: skip
        return {FREE, POSSIBLE} if has_doubt or not is_whole else {FREE}
    if status in GATEWAYS or status in NEVER_REFUSED_4XX or status < 500 or status >= 600:
        return {POSSIBLE}
    return _relay_error(spec, facts, fidelity)


def _relay_error(spec: Spec, facts: Facts, fidelity: Fidelity) -> set[str]:
    """500, 503 and the rarer 5xx: free only with a code that comes before any forwarding."""
    if facts.is_text or fidelity is Fidelity.PARTIAL or facts.strange:
        return {POSSIBLE}
    if facts.fault in _RELAY_REFUSALS:
        is_clear = fidelity is Fidelity.WHOLE and spec.is_clear and not facts.unreadable
        is_stated = spec.status == 503 or (
            spec.status == 500 and facts.fault is Fault.BEFORE_FORWARDING
        )
        return {FREE} if is_clear and is_stated else {FREE, POSSIBLE}
    # Above 500 only what the relay says before it forwards a request is free.
    is_open = facts.fault is Fault.RELAY_WORDS or (
        spec.status == 500 and (facts.fault is Fault.PLAIN or facts.entry_errors)
    )
    return {FREE, POSSIBLE} if is_open else {POSSIBLE}
