"""Which jobs a person wants to see: groups as people think of them, words, model and dates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from .statements import Values, list_values, quote_states
from .states import STORED_STATES, UNFINISHED_STATES, State

UNCLEAR_STATES = (State.UNKNOWN, State.EMPTY)
"""States that may have been charged and need a person's decision."""
FAILED_STATES = (State.REFUSED, State.FAILED, State.WITHDRAWN)

_MADE_CONTENT = "id IN (SELECT request FROM images WHERE sha256 = :content)"


class Group(str, Enum):
    """How a person sorts jobs. An unfinished job runs only while a live process owns it."""

    RUNNING = "running"
    ATTENTION = "attention"
    DONE = "done"
    FAILED = "failed"


def find_group(state: State, *, is_live: bool) -> Group | None:
    """Find the group of a job; ``None`` for a forgotten one."""
    if state in UNFINISHED_STATES:
        return Group.RUNNING if is_live else Group.ATTENTION
    if state in UNCLEAR_STATES:
        return Group.ATTENTION
    if state is State.FORGOTTEN:
        return None
    return Group.DONE if state in STORED_STATES else Group.FAILED


@dataclass(frozen=True)
class JobFilter:
    """Conditions that a job must all meet; without any, every job but the forgotten.

    Args:
        states: those wanted, or all but the forgotten.
        text: words, each a part of the prompt, the model or the task ID in any case, or the job's
            number.
        since, before: bounds of the time of creation, in wall-clock seconds.
        below_id: only jobs with smaller numbers, to read a long list in parts.
        ids: only these jobs.
        fingerprint: only jobs of this request.
        content: only jobs that made an image with this SHA-256.
    """

    states: tuple[State, ...] = ()
    group: Group | None = None
    text: str = ""
    model: str = ""
    since: float | None = None
    before: float | None = None
    below_id: int | None = None
    ids: tuple[int, ...] = ()
    fingerprint: str | None = None
    content: str | None = None

    def to_condition(self, live_owners: Collection[str]) -> tuple[str, Values]:
        """Build the condition of ``statements.page_of_jobs`` and ``count_jobs``.

        Args:
            live_owners: the owners whose process runs.
        """
        parts, values = [_match_states(self.states)], dict[str, object]()
        if self.group is not None:
            condition, owners = _match_group(self.group, tuple(live_owners))
            parts.append(condition)
            values |= owners
        for number, word in enumerate(self.text.split()):
            parts.append(_match_word(number))
            values |= {f"part{number}": f"%{_escape(word)}%", f"word{number}": word}
        bounds = {
            "model = :model": ("model", self.model or None),
            "created_at >= :since": ("since", self.since),
            "created_at < :before": ("before", self.before),
            "id < :below_id": ("below_id", self.below_id),
            "fingerprint = :fingerprint": ("fingerprint", self.fingerprint),
            _MADE_CONTENT: ("content", self.content),
        }
        for condition, (name, value) in bounds.items():
            if value is not None:
                parts.append(condition)
                values[name] = value
        if self.ids:
            marks, ids = list_values(self.ids, "id")
            parts.append(f"id IN ({marks})")
            values |= ids
        return " AND ".join(f"({part})" for part in parts), values


def _match_states(states: tuple[State, ...]) -> str:
    # Without states, one that only a newer version knows is not hidden.
    if set(states) == set(State):
        return "TRUE"
    return f"state IN ({quote_states(states)})" if states else "state != 'forgotten'"


def _match_group(group: Group, live_owners: tuple[str, ...]) -> tuple[str, Values]:
    if group is Group.DONE:
        return f"state IN ({quote_states(STORED_STATES)})", {}
    if group is Group.FAILED:
        return f"state IN ({quote_states(FAILED_STATES)})", {}
    marks, values = list_values(live_owners, "owner")
    unfinished = f"state IN ({quote_states(UNFINISHED_STATES)})"
    if group is Group.RUNNING:
        return f"{unfinished} AND owner IN ({marks})", values
    unclear = f"state IN ({quote_states(UNCLEAR_STATES)})"
    if not live_owners:
        return f"{unclear} OR {unfinished}", {}
    abandoned = f"{unfinished} AND (owner IS NULL OR owner NOT IN ({marks}))"
    return f"{unclear} OR {abandoned}", values


def _match_word(number: int) -> str:
    columns = ("prompt", "model", "task_id")
    likes = [f"LOWER({column}) LIKE LOWER(:part{number}) ESCAPE '\\'" for column in columns]
    return " OR ".join((*likes, f"CAST(id AS TEXT) = :word{number}"))


def _escape(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
