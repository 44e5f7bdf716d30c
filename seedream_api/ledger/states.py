"""What makes two requests the same, and the states through which a paid request goes::

    intended ──► sending ──► accepted ──► answered ──► completed | partial
       │  ▲         │  │         │  │         ▲              │
       │  └─(429)───┤  │         │  └► empty  └─(files gone)─┘
       ▼            │  │         ▼
    withdrawn       │  └► answered | empty (a response with images, or with none, at once)
                    ▼            failed
            refused | unknown

    unknown ──► accepted | answered | empty
    empty ────► accepted | answered

``intended``: written down, references may travel, nothing sent. ``sending``: the first byte is
about to leave. ``accepted``: the task id is known. ``answered``: the result URLs are known.
``empty``: the service says completed, and no image can be read from its response. *unknown* and
*empty* rows may hold that response (``ledger.keep_response``): a poll of the task, or reading the
kept response again, may still find what was paid for. ``forgotten``: a person, or
SEEDREAM_REUSE=off, lets the same inputs be paid for again; any state at which nobody works may
become so.

After *refused*, *failed*, *withdrawn* and *forgotten* the same inputs are a new request; after any
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
    """Where a paid request stands."""

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
"""From each state, the states that may follow; ``ledger.Ledger`` allows no other move."""


@dataclass(frozen=True)
class JobSpec:
    """A wish as the ledger writes it down, before anything is sent."""

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
    """Texts of the request that must not be written down when the service repeats them."""
    also: tuple[str, ...] = field(default=())
    """Fingerprints of the same request in spellings that older rows hold."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Every fingerprint by which the ledger may know this request."""
        return (self.fingerprint, *self.also)


def fingerprint(
    address: str, body: Mapping[str, Any], references: tuple[str, ...], seed: int
) -> str:
    """The identity of a request: body, references by content, seed and address; nothing else.

    Args:
        body: the JSON body without its reference field.
        references: one identity a reference, in order: ``sha256:`` of a picture, also of one at a
            URL that this ledger gave out; ``url:`` of any other.
    """
    parts = {"address": address, "body": body, "references": references, "seed": seed}
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_fingerprint(key: str) -> str:
    """Tells keys apart without telling a key: a slow hash would not hide a guessable key better."""
    return hashlib.sha256(b"seedream key:" + key.encode()).hexdigest()[:12]
