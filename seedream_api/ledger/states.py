"""The states of a paid job, and what makes two requests the same::

    intended ──► sending ──► accepted ──► answered ──► completed | partial
       │  ▲         │  │         │  │         ▲              │
       │  └─(429)───┤  │         │  └► empty  └─(files gone)─┘
       ▼            │  │         ▼
    withdrawn       │  └► answered | empty (a response with images, or with none, at once)
                    ▼            failed
            refused | unknown

    unknown ──► accepted | answered | empty
    empty ────► accepted | answered

``intended``: recorded; references may be uploaded, nothing is sent. ``sending``: the first byte is
about to leave. ``accepted``: the task ID is known. ``answered``: the result URLs are known.
``empty``: the service reports completion, but its response contains no readable image. *unknown*
and *empty* rows may keep that response (``keep_response``): polling the task, or reading the kept
response again, may still find what was paid for. ``forgotten``: a person, or SEEDREAM_REUSE=off,
lets the same inputs be paid for again; a row becomes so from any state but *sending*.

After *refused*, *failed*, *withdrawn* and *forgotten* the same inputs are a new request; in any
other state they are this one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any


class State(str, Enum):
    """The state of a paid job."""

    INTENDED = "intended"
    SENDING = "sending"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    COMPLETED = "completed"
    PARTIAL = "partial"
    EMPTY = "empty"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    FORGOTTEN = "forgotten"


RELEASED_STATES = (State.REFUSED, State.FAILED, State.WITHDRAWN, State.FORGOTTEN)
"""After these the same inputs are a new request."""
STORED_STATES = (State.COMPLETED, State.PARTIAL)
UNFINISHED_STATES = (State.INTENDED, State.SENDING, State.ACCEPTED, State.ANSWERED)
RECOVERABLE_STATES = (State.ACCEPTED, State.ANSWERED)
"""Paid for, or about to be; what is missing can be fetched without another charge."""

TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType({
    State.INTENDED: frozenset({State.SENDING, State.WITHDRAWN, State.FORGOTTEN}),
    State.SENDING: frozenset({
        State.INTENDED, State.ACCEPTED, State.ANSWERED, State.EMPTY, State.REFUSED, State.UNKNOWN,
    }),
    State.ACCEPTED: frozenset({
        State.ANSWERED, State.EMPTY, State.FAILED, State.FORGOTTEN,
    }),
    State.ANSWERED: frozenset({
        State.ANSWERED, State.COMPLETED, State.PARTIAL, State.FORGOTTEN,
    }),
    State.COMPLETED: frozenset({State.ANSWERED, State.FORGOTTEN}),
    State.PARTIAL: frozenset({State.ANSWERED, State.FORGOTTEN}),
    State.EMPTY: frozenset({State.ACCEPTED, State.ANSWERED, State.FORGOTTEN}),
    State.UNKNOWN: frozenset({
        State.ACCEPTED, State.ANSWERED, State.EMPTY, State.FORGOTTEN,
    }),
    State.REFUSED: frozenset({State.FORGOTTEN}),
    State.FAILED: frozenset({State.FORGOTTEN}),
    State.WITHDRAWN: frozenset({State.FORGOTTEN}),
    State.FORGOTTEN: frozenset(),
})  # fmt: skip
"""The states that may follow each state; ``transitions.py`` refuses any other change."""


@dataclass(frozen=True)
class JobSpec:
    """A job to record before anything is sent."""

    fingerprint: str
    family: str
    model: str
    address: str
    key_fingerprint: str
    prompt: str | None
    """``None`` where prompts are not to be stored."""
    fields: Mapping[str, Any]
    """The body without prompt and references."""
    references: tuple[str, ...]
    seed: int
    asked: int
    """The most images that may be charged."""
    notes: tuple[str, ...] = field(default=())
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Texts of the request that must not be stored when the service repeats them."""
    profile: str | None = None
    """The name of the profile; ``None`` for the default."""
    also: tuple[str, ...] = field(default=())
    """Fingerprints of the same request in spellings that older rows hold."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Every fingerprint by which the ledger may know this request."""
        return (self.fingerprint, *self.also)


def fingerprint(
    address: str, body: Mapping[str, Any], references: tuple[str, ...], seed: int
) -> str:
    """Hash what identifies a request: body, references by content, seed and address.

    Args:
        body: the JSON body without its reference field.
        references: one identity per reference, in order: ``sha256:`` for an image, also for one at
            a URL that this ledger gave out; ``url:`` for any other URL.
    """
    parts = {"address": address, "body": body, "references": references, "seed": seed}
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_fingerprint(key: str) -> str:
    """Hash a key to tell keys apart; a slow hash would not hide a guessable key better."""
    return hashlib.sha256(b"seedream key:" + key.encode()).hexdigest()[:12]
