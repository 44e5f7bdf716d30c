"""A response of the service that was kept because it could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KeptResponse:
    """A response of the service that could not be read, kept for a later reader or a person.

    Args:
        status: the HTTP status; ``None`` where no status line arrived.
        body: the bytes as they were received.
        note: why it was kept.
        truncated: whether the end of the body was cut off when it was kept.
        received_at: wall-clock seconds; the ledger sets it.
    """

    status: int | None
    body: bytes = field(repr=False)
    note: str = ""
    truncated: bool = False
    received_at: float = 0.0
