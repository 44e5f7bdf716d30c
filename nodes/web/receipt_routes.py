"""The route of receipts: the jobs of an image that was dropped on the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..host import background
from .panel import find_progress, job_json

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session

Json = dict[str, Any]


async def _find_originals(request: web.Request, body: Json) -> Json:
    """Find the job of each receipt in ``receipts``; ``None`` where this ledger has none."""
    from ...seedream_api.jobs.receipts import find_original, parse_receipts

    receipts = parse_receipts(body.get("receipts"))

    async def find(session: Session) -> Json:
        found = [await find_original(one, session.ledger) for one in receipts]
        return {
            "tasks": [
                None if one is None else job_json(one, find_progress(session, one.row.id))
                for one in found
            ]
        }

    return await background.run_in_session(find)


ROUTES = (("POST", "/receipts", _find_originals),)
