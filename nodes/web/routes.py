"""HTTP routes of the web extension: parse, check, respond.

Every route serves only the page of this ComfyUI (``origins.py``). No response contains a secret.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from aiohttp import web
from server import PromptServer

from ...seedream_api.errors import InvalidRequest, SeedreamError
from ...seedream_api.ledger.states import State
from ...seedream_api.messages import Text
from ..host import background, recovery
from . import panel, restoring, saving, settings
from .live import EVENT
from .origins import check_own_page
from .quoting import estimate_charge

PREFIX = "/seedream"
MAX_BODY = 64 * 1024
_MAX_TEXT = 200
_MAX_NUMBER = 2**53
_STATUSES = {
    "panel_multi_user": 403,
    "panel_cross_origin": 403,
    "panel_foreign_name": 403,
    "panel_too_large": 413,
    "entry_unknown": 404,
    "image_not_stored": 404,
    "entry_running": 409,
}
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"})
"""Media types that a browser displays and never executes."""
_CACHE_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}

Json = dict[str, Any]
Handler = Callable[[web.Request, Json], Awaitable[Json | web.StreamResponse]]


def register() -> None:
    """Add the routes to the server that loads this pack, if there is one."""
    server: Any = getattr(PromptServer, "instance", None)
    if server is None:
        return
    for method, path, handler in _ROUTES:
        server.routes.route(method, PREFIX + path)(_guard(handler))


def _guard(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            if background.is_multi_user():
                raise InvalidRequest("panel_multi_user")
            check_own_page(request)
            body = await _read_body(request) if request.method == "POST" else {}
            response = await handler(request, body)
        except SeedreamError as error:
            status = _STATUSES.get(error.key, 400)
            return web.json_response({"error": settings.error_json(error)}, status=status)
        if isinstance(response, web.StreamResponse):
            return response
        return web.json_response(response, headers={"Cache-Control": "no-store"})

    return guarded


async def _read_body(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise InvalidRequest("panel_malformed", reason=Text("not_json_type"))
    data = bytearray()
    async for chunk in request.content.iter_chunked(MAX_BODY):
        data += chunk
        if len(data) > MAX_BODY:
            raise InvalidRequest("panel_too_large", allowed=MAX_BODY)
    try:
        body: Any = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise InvalidRequest("panel_malformed", reason=Text("not_json_object"))
    return cast("Json", body)


def _parse_number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= _MAX_NUMBER):
        raise InvalidRequest("panel_malformed", reason=Text("not_a_number", name=name))
    return int(text)


def _parse_row_id(request: web.Request) -> int:
    return int(request.match_info["id"])


# --- settings -----------------------------------------------------------------------------------


async def _get_settings(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(settings.list_settings)


async def _save_settings(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(saving.save, body)
    return await asyncio.to_thread(settings.list_settings)


async def _run_doctor(request: web.Request, body: Json) -> Json:
    from ...seedream_api.config.settings import load_settings
    from ...seedream_api.doctor import run_checks

    async def check() -> Json:
        checks = await run_checks(
            await asyncio.to_thread(load_settings, settings.find_home_folder())
        )
        return {"checks": [panel.check_json(check) for check in checks]}

    return await background.run_on_loop(check)


async def _test_uploads(request: web.Request, body: Json) -> Json:
    from ...seedream_api.jobs.upload_references import try_upload_target

    sent = await background.run_in_session(try_upload_target)
    if sent is None:
        return {"way": None, "expires_at": None}
    return {"way": sent.target, "expires_at": sent.expires_at}


# --- tasks --------------------------------------------------------------------------------------


async def _list_tasks(request: web.Request, body: Json) -> Json:
    offset, limit = _parse_number(request, "offset", 0), _parse_number(request, "limit", 100)
    words = [word for word in request.query.get("state", "").split(",") if word]
    known = {state.value for state in State}
    if not known.issuperset(words):
        raise InvalidRequest("panel_malformed", reason=Text("no_such_state"))
    states = tuple(State(word) for word in words)
    text = request.query.get("text", "")[:_MAX_TEXT]
    return await background.run_in_session(
        lambda session: panel.page_json(
            session, offset=offset, limit=limit, states=states, text=text
        )
    )


async def _get_task(request: web.Request, body: Json) -> Json:
    row_id = _parse_row_id(request)

    async def read(session: Any) -> Json:
        found = await panel.find_job(session, row_id)
        task = panel.full_job_json(found, panel.find_progress(session, row_id))
        left, search = panel.find_reason(session, found), panel.describe_search(found)
        return {**task, "left": left, "search": search}

    return await background.run_in_session(read)


async def _restore_inputs(request: web.Request, body: Json) -> Json:
    row_id = _parse_row_id(request)
    return await background.run_in_session(
        lambda session: restoring.restore_inputs(session, row_id)
    )


async def _get_reference(request: web.Request, body: Json) -> web.StreamResponse:
    row_id, position = _parse_row_id(request), int(request.match_info["position"])
    found = await background.run_in_session(
        lambda session: restoring.find_reference(session, row_id, position)
    )
    file = cast("Path", found.path)
    small = await background.run_on_loop(lambda: panel.get_thumbnail(file, file.stem))
    headers = {"X-Content-Type-Options": "nosniff", **_CACHE_FOREVER}
    return web.Response(body=small, content_type="image/jpeg", headers=headers)


async def _forget_task(request: web.Request, body: Json) -> Json:
    row_id = _parse_row_id(request)
    found = await background.run_in_session(lambda session: panel.forget(session, row_id))
    task = panel.job_json(found, None)
    background.send_event(EVENT, task)
    return task


async def _get_image(request: web.Request, body: Json) -> web.StreamResponse:
    row_id, position = _parse_row_id(request), int(request.match_info["position"])
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


async def _get_recovery(request: web.Request, body: Json) -> Json:
    return recovery.summary.to_json()


async def _collect(request: web.Request, body: Json) -> Json:
    return await background.run_on_loop(lambda: recovery.collect(is_asked_for=True))


async def _estimate(request: web.Request, body: Json) -> Json:
    given: Any = body.get("inputs")
    if not isinstance(given, dict):
        raise InvalidRequest("panel_malformed", reason=Text("inputs_not_object"))
    class_type, inputs = str(body.get("class_type")), cast("Json", given)
    try:
        return await background.run_in_session(
            lambda session: estimate_charge(session, class_type, inputs)
        )
    except SeedreamError as error:
        # The estimate is still valid: nothing would be charged, and this is why.
        return {"images": 0, "state": None, "sandbox": False, "error": settings.error_json(error)}


_ID = r"{id:\d{1,15}}"
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/settings", _get_settings),
    ("POST", "/settings", _save_settings),
    ("POST", "/doctor", _run_doctor),
    ("POST", "/uploads/test", _test_uploads),
    ("GET", "/tasks", _list_tasks),
    ("GET", f"/tasks/{_ID}", _get_task),
    ("GET", f"/tasks/{_ID}/images/{{position:\\d{{1,4}}}}", _get_image),
    ("GET", f"/tasks/{_ID}/references/{{position:\\d{{1,4}}}}", _get_reference),
    ("POST", f"/tasks/{_ID}/inputs", _restore_inputs),
    ("POST", f"/tasks/{_ID}/forget", _forget_task),
    ("GET", "/recovery", _get_recovery),
    ("POST", "/recovery", _collect),
    ("POST", "/quote", _estimate),
)
