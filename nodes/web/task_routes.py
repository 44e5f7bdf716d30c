"""Routes of the task panel: lists and exports; one task, its images, inputs and actions."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ...seedream_api.errors import InvalidRequest
from ...seedream_api.ledger.job_filter import Group, JobFilter
from ...seedream_api.ledger.states import State
from ...seedream_api.messages import Text
from ..host import background
from . import copies, exporting, panel, recovery_routes, restoring
from .live import EVENT

_MAX_TEXT = 200
_MAX_NUMBER = 2**53
_MAX_IDS = 2_000
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"})
"""Media types that a browser displays and never executes."""
_CACHE_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_COLLECT_S = 1.0
"""How long a browser waits for the first result of Collect; events report the rest."""

Json = dict[str, Any]
Handler = Callable[[web.Request, Json], Awaitable[Json | web.StreamResponse]]


# --- reading requests ---------------------------------------------------------------------------


def parse_number(request: web.Request, name: str, default: int) -> int:
    """Parse a whole number of the query.

    Raises:
        InvalidRequest: it is something else, or too large.
    """
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= _MAX_NUMBER):
        raise InvalidRequest("panel_malformed", reason=Text("not_a_number", name=name))
    return int(text)


def parse_row_id(request: web.Request) -> int:
    return int(request.match_info["id"])


def parse_filter(request: web.Request) -> JobFilter:
    """Parse which jobs a list or an export is to hold.

    Raises:
        InvalidRequest: a value is malformed.
    """
    query = request.query
    words = [word for word in query.get("state", "").split(",") if word]
    known = {state.value for state in State}
    group = query.get("group") or None
    if not known.issuperset(words) or group not in (None, *(one.value for one in Group)):
        raise InvalidRequest("panel_malformed", reason=Text("no_such_state"))
    return JobFilter(
        states=tuple(State(word) for word in words),
        group=Group(group) if group else None,
        text=query.get("text", "")[:_MAX_TEXT],
        model=query.get("model", "")[:_MAX_TEXT],
        since=_parse_moment(request, "since"),
        before=_parse_moment(request, "before"),
        ids=_parse_ids(query.get("ids", "")),
        fingerprint=query.get("fingerprint"),
        content=query.get("content"),
    )


def _parse_moment(request: web.Request, name: str) -> float | None:
    text = request.query.get(name)
    if not text:
        return None
    try:
        moment = float(text)
    except ValueError:
        moment = math.nan
    if not math.isfinite(moment):
        raise InvalidRequest("panel_malformed", reason=Text("not_a_number", name=name))
    return moment


def _parse_ids(text: str) -> tuple[int, ...]:
    words = [word for word in text.split(",") if word]
    if len(words) > _MAX_IDS or not all(w.isascii() and w.isdigit() and len(w) < 16 for w in words):
        raise InvalidRequest("panel_malformed", reason=Text("not_a_number", name="ids"))
    return tuple(map(int, words))


# --- lists --------------------------------------------------------------------------------------


async def _list_tasks(request: web.Request, body: Json) -> Json:
    offset, limit = parse_number(request, "offset", 0), parse_number(request, "limit", 100)
    wanted = parse_filter(request)
    return await background.run_in_session(
        lambda session: panel.page_json(session, wanted, offset=offset, limit=limit)
    )


async def _get_overview(request: web.Request, body: Json) -> Json:
    return await background.run_in_session(panel.overview_json)


async def _export(request: web.Request, body: Json) -> web.StreamResponse:
    wanted = parse_filter(request)
    form = request.query.get("format", "json")
    if form not in exporting.FORMATS:
        raise InvalidRequest("panel_malformed", reason=Text("no_such_format", given=repr(form)))
    text = await background.run_in_session(lambda session: exporting.export(session, wanted, form))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="seedream-tasks.{form}"',
    }
    media_type = "text/csv" if form == "csv" else "application/json"
    return web.Response(text=text, content_type=media_type, charset="utf-8", headers=headers)


# --- one task -----------------------------------------------------------------------------------


async def _get_task(request: web.Request, body: Json) -> Json:
    row_id = parse_row_id(request)

    async def read(session: Any) -> Json:
        found = await panel.find_job(session, row_id)
        task = panel.full_job_json(found, panel.find_progress(session, row_id))
        return {**task, "hint": recovery_routes.describe_hint(session, found)}

    return await background.run_in_session(read)


async def _restore_inputs(request: web.Request, body: Json) -> Json:
    row_id = parse_row_id(request)
    return await background.run_in_session(
        lambda session: restoring.restore_inputs(session, row_id)
    )


async def _get_image(request: web.Request, body: Json) -> web.StreamResponse:
    row_id, position = parse_row_id(request), int(request.match_info["position"])
    file, media_type, sha256 = await background.run_in_session(
        lambda session: panel.find_image(session, row_id, position)
    )
    headers = {"X-Content-Type-Options": "nosniff", **_CACHE_FOREVER}
    if request.query.get("thumbnail") == "1":
        small = await background.run_on_loop(lambda: panel.get_thumbnail(file, sha256))
        return web.Response(body=small, content_type="image/jpeg", headers=headers)
    is_picture = media_type in _PICTURES
    headers["Content-Type"] = media_type if is_picture else "application/octet-stream"
    name = f"seedream-{row_id}-{position}{file.suffix}"
    how = "inline" if is_picture else "attachment"
    headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return web.FileResponse(file, headers=headers)


async def _forget_task(request: web.Request, body: Json) -> Json:
    row_id = parse_row_id(request)
    found = await background.run_in_session(lambda session: panel.forget(session, row_id))
    task = panel.job_json(found, None)
    background.send_event(EVENT, task)
    return task


async def _collect_task(request: web.Request, body: Json) -> Json:
    row_id = parse_row_id(request)
    await background.start_in_session(
        lambda session: panel.collect(session, row_id), wait_s=_COLLECT_S
    )
    found = await background.run_in_session(lambda session: panel.find_job(session, row_id))
    return panel.job_json(found, None)


async def _save_images(request: web.Request, body: Json) -> Json:
    row_id = parse_row_id(request)
    return await background.run_in_session(lambda session: copies.save_images(session, row_id))


async def _copy_to_input(request: web.Request, body: Json) -> Json:
    row_id, position = parse_row_id(request), int(request.match_info["position"])
    return await background.run_in_session(
        lambda session: copies.copy_to_input(session, row_id, position)
    )


_ID = r"{id:\d{1,15}}"
_IMAGE = rf"/tasks/{_ID}/images/{{position:\d{{1,4}}}}"
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/overview", _get_overview),
    ("GET", "/tasks", _list_tasks),
    ("GET", "/tasks/export", _export),
    ("GET", f"/tasks/{_ID}", _get_task),
    ("GET", _IMAGE, _get_image),
    ("POST", f"/tasks/{_ID}/inputs", _restore_inputs),
    ("POST", f"{_IMAGE}/input", _copy_to_input),
    ("POST", f"/tasks/{_ID}/save", _save_images),
    ("POST", f"/tasks/{_ID}/collect", _collect_task),
    ("POST", f"/tasks/{_ID}/forget", _forget_task),
)
