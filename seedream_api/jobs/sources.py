"""The sources of a job: a new request, a task by its id, or a row of the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, TaskNotFound
from ..ledger.ledger import Ledger
from ..ledger.limits import Reservation
from ..ledger.records import JobRecord
from ..ledger.states import JobSpec, State

if TYPE_CHECKING:
    from ..service.request import Request
    from ..uploads.target import UploadTarget


@dataclass(frozen=True)
class NewRequest:
    """A request that is sent unless the ledger has its result.

    Args:
        target: where reference images are uploaded; ``None`` if every reference is a URL.
        reuse: whether a stored result of an equal request may be returned.
        reservation: what it may spend.
    """

    spec: JobSpec
    request: Request
    target: UploadTarget | None
    reuse: bool
    reservation: Reservation

    async def claim(self, ledger: Ledger) -> JobRecord:
        """Claim the row of an equal request, or create one."""
        return await ledger.claim(self.spec, uuid.uuid4().hex, reuse=self.reuse)


@dataclass(frozen=True)
class KnownTask:
    """A task of the service, from this client or another.

    Args:
        profile: the name of the profile that polls it; ``None`` for the default.
        is_typed: whether only the user has stated the id; the task may not exist.
        polls_once: poll the task once and raise :class:`WaitTimedOut` if it still runs.
    """

    task_id: str
    address: str
    key_fingerprint: str
    profile: str | None = None
    is_typed: bool = False
    polls_once: bool = False

    async def claim(self, ledger: Ledger) -> JobRecord:
        """Claim the row of the task, or create one.

        Raises:
            ConfigurationError: the task was made at another address.
        """
        row = await self._claim(ledger)
        if was_not_found(row) and row.owner == ledger.owner:
            # The service may know the task by now.
            await ledger.forget(row.id)
            row = await self._claim(ledger)
        if row.address != self.address:
            await ledger.release(row.id)
            raise ConfigurationError(
                "task_of_other_address",
                task_id=self.task_id,
                saved=row.address,
                address=self.address,
            )
        return row

    async def _claim(self, ledger: Ledger) -> JobRecord:
        return await ledger.claim_task(
            self.address, self.task_id, self.key_fingerprint, self.profile
        )


@dataclass(frozen=True)
class KnownRow:
    """A row of the ledger without a task id.

    Args:
        polls_once: raise :class:`WaitTimedOut` if another process works on it.
    """

    row_id: int
    polls_once: bool = False

    async def claim(self, ledger: Ledger) -> JobRecord:
        """Claim the row."""
        return await ledger.claim_row(self.row_id)


JobSource = NewRequest | KnownTask | KnownRow


def was_not_found(row: JobRecord) -> bool:
    """Return whether the job ended because the service did not know the task."""
    return row.state is State.FAILED and isinstance(row.error, TaskNotFound)
