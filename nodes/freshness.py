"""Decide when ComfyUI may reuse a node's former outputs: not while they lack something.

ComfyUI's cache compares the results of ``fingerprint_inputs``. Here that is a counter per node and
widget values. It grows if the latest run of these lacked something, if a stored file was lost
since, or (Load URL Images) if the content of a URL has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from comfy.model_management import InterruptProcessingException
from comfy_api.latest import io
from comfy_execution.utils import get_executing_context

from ..seedream_api.errors import TaskFailed, TaskNotFound
from ..seedream_api.ledger.states import STORED_STATES
from .host import runtime
from .node_values import is_link, list_input_names
from .web.settings import log

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Result
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.ledger.ledger import Ledger
    from ..seedream_api.ledger.records import ImageRecord, JobRecord
    from .execution import DecodedImages

_REMEMBERED = 512

Check = Callable[["Session"], Awaitable[bool]]
"""Checks whether something of a run is missing or outdated by now."""


@dataclass
class _Run:
    """The latest run of one node with one set of widget values."""

    prompt_id: str
    count: int
    checks: dict[int, Check] = field(default_factory=dict[int, Check])
    """By the index of the call."""


_runs: OrderedDict[str, _Run] = OrderedDict()


def note_run(cls: type[io.ComfyNode], check: Check) -> None:
    """Remember a call of the node from its ``execute``; ``check`` runs before the next one."""
    context: Any = get_executing_context()
    prompt: Any = cls.hidden.dynprompt
    if context is None or prompt is None or not prompt.has_node(context.node_id):
        return
    entry: dict[str, Any] = prompt.get_node(context.node_id)["inputs"]
    constants = {name: value for name, value in entry.items() if not is_link(value)}
    key = _build_key(cls, str(context.node_id), constants)
    run, prompt_id = _runs.pop(key, None), str(context.prompt_id)
    if run is None or run.prompt_id != prompt_id:
        run = _Run(prompt_id, run.count if run else 0)
    index = int(context.list_index or 0)
    run.checks[index] = check
    _runs[key] = run
    while len(_runs) > _REMEMBERED:
        _runs.popitem(last=False)


async def fingerprint(
    cls: type[io.ComfyNode], given: Mapping[str, Any], *, listed: bool = False
) -> int | float:
    """Return the result of ``fingerprint_inputs``. Never raises, because ComfyUI would only log it.

    Args:
        listed: whether the node takes its inputs as lists.
    """
    try:
        return await _count(cls, given, listed=listed)
    except InterruptProcessingException:  # the executor checks the flag again before the first node
        return float("nan")
    except Exception as error:  # noqa: BLE001 - the node runs and reports the error
        log.warning("cannot check the former run of a node: %s", error)
        return float("nan")


async def _count(cls: type[io.ComfyNode], given: Mapping[str, Any], *, listed: bool) -> int:
    context: Any = get_executing_context()
    if context is None:
        return 0
    constants = {name: _unwrap(value) if listed else value for name, value in given.items()}
    run = _runs.get(_build_key(cls, str(context.node_id), constants))
    if run is None:
        return 0
    if await _is_outdated(tuple(run.checks.values())):
        run.count += 1
    return run.count


async def _is_outdated(checks: Sequence[Check]) -> bool:
    async def check_all(session: Session, report_progress: Callable[[Any], None]) -> bool:
        return any(await asyncio.gather(*(check(session) for check in checks)))

    return await runtime.run(check_all, runtime.NodeProgress(), lambda step, call: "")


def _build_key(cls: type[io.ComfyNode], node_id: str, constants: Mapping[str, Any]) -> str:
    """Build a hash, because a widget may contain megabytes of data URIs."""
    kept = {name: constants.get(name) for name in list_input_names(cls)}
    text = json.dumps([node_id, kept], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def _unwrap(value: object) -> object:
    """Return the single value of a widget in a node that takes its inputs as lists."""
    values = cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()
    return values[0] if len(values) == 1 else None


# --- results of the ledger ----------------------------------------------------------------------


def note_result(
    cls: type[io.ComfyNode], result: Result, pictures: DecodedImages | None, *, pays: bool
) -> None:
    """Remember a result; see :func:`note_run`.

    Args:
        pays: whether running the node again may be charged. With SEEDREAM_REUSE off that is so
            for a stored result, so a stored result never starts a run.
    """
    ids = tuple((result.task_id or "").split())
    is_whole = pictures is not None and not pictures.failures and _is_whole(result)

    async def find_rows(ledger: Ledger) -> list[JobRecord | None]:
        if len(ids) > 1:
            return [await ledger.find_task(task_id) for task_id in ids]
        return [await ledger.get_record(result.entry)]

    _note_rows(cls, find_rows, is_whole=is_whole, pays=pays)


def note_results(cls: type[io.ComfyNode], results: Sequence[Result], *, is_whole: bool) -> None:
    """Remember the results of a batch; see :func:`note_run`.

    Args:
        is_whole: whether no request of the batch failed and no image is unreadable.
    """

    async def find_rows(ledger: Ledger) -> list[JobRecord | None]:
        return [await ledger.get_record(result.entry) for result in results]

    _note_rows(cls, find_rows, is_whole=is_whole and all(map(_is_whole, results)), pays=True)


def _note_rows(
    cls: type[io.ComfyNode],
    find_rows: Callable[[Ledger], Awaitable[list[JobRecord | None]]],
    *,
    is_whole: bool,
    pays: bool,
) -> None:
    async def check(session: Session) -> bool:
        rows = [row for row in await find_rows(session.ledger) if row is not None]
        may_pay = pays and not session.settings.is_on("SEEDREAM_REUSE")
        if may_pay and any(row.state in STORED_STATES for row in rows):
            return False
        return not is_whole or any([await _has_lost_files(session, row) for row in rows])

    note_run(cls, check)


def _is_whole(result: Result) -> bool:
    """Tell whether nothing is left to fetch: what the service did not make is not missing."""
    final = (TaskFailed, TaskNotFound)
    return result.status in ("completed", "partial") and all(
        failure.error is None or isinstance(failure.error, final) for failure in result.failures
    )


async def _has_lost_files(session: Session, row: JobRecord) -> bool:
    """Tell whether a stored file of the row is missing or cut off."""
    images = await session.ledger.list_images(row.id)
    if await asyncio.to_thread(lambda: any(_is_damaged(image) for image in images)):
        return True
    # A file that was pruned leaves its hash, so it does not count as lost.
    return row.state in STORED_STATES and any(
        image.is_missing and image.sha256 is None for image in images
    )


def _is_damaged(image: ImageRecord) -> bool:
    if image.file is None:
        return False
    try:
        return image.file.stat().st_size != image.bytes
    except OSError:
        return True
