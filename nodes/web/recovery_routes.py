"""Routes of recovery: what came since ComfyUI started, and a round that a person asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from ...seedream_api.ledger.states import RECOVERABLE_STATES, State
from ...seedream_api.messages import Text
from ..host import background, recovery
from .settings import text_json

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.browsing import JobView

Json = dict[str, Any]


def describe_hint(session: Session, found: JobView) -> dict[str, str] | None:
    """Describe why recovery cannot fetch a job, and where a person can; ``None`` if it can."""
    from ...seedream_api.jobs.recovery import describe_search, find_reason_left

    row = found.row
    reason, text = find_reason_left(row, session.settings), None
    if row.state in (*RECOVERABLE_STATES, State.UNKNOWN) and reason is not None:
        text = Text("left_alone_key" if reason == "other_key" else "left_alone_address")
    elif row.state is State.UNKNOWN and row.task_id is None:
        text = describe_search(row)
    return None if text is None else text_json(text)


async def _get_recovery(request: web.Request, body: Json) -> Json:
    return recovery.summary.to_json()


async def _collect(request: web.Request, body: Json) -> Json:
    return await background.run_on_loop(lambda: recovery.collect(is_asked_for=True))


ROUTES = (("GET", "/recovery", _get_recovery), ("POST", "/recovery", _collect))
