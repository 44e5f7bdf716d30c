"""HTTP routes of the web extension: parse, check, respond.

Every route serves only the page of this ComfyUI (``origins.py``). No response contains a secret.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web
from server import PromptServer

from ...seedream_api._version import __version__
from ...seedream_api.config.settings import load_settings
from ...seedream_api.errors import InvalidRequest, SeedreamError
from ...seedream_api.messages import Text
from ..host import background
from . import panel, recovery_routes, saving, settings, task_routes
from .cost_routes import ROUTES as COST_ROUTES
from .model_routes import ROUTES as MODEL_ROUTES
from .origins import check_own_page
from .profile_routes import ROUTES as PROFILE_ROUTES
from .quoting import estimate_charge
from .task_routes import Handler, Json

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session

PREFIX = "/seedream"
MAX_BODY = 64 * 1024
_STATUSES = {
    "panel_multi_user": 403,
    "panel_cross_origin": 403,
    "panel_foreign_name": 403,
    "panel_too_large": 413,
    "entry_unknown": 404,
    "image_not_stored": 404,
    "entry_running": 409,
}


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


# --- settings -----------------------------------------------------------------------------------


async def _get_settings(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(settings.list_settings)


async def _save_settings(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(saving.save, body)
    return await asyncio.to_thread(settings.list_settings)


async def _get_about(request: web.Request, body: Json) -> Json:
    return {"version": __version__}


async def _run_doctor(request: web.Request, body: Json) -> Json:
    async def check() -> Json:
        from ...seedream_api.doctor import run_checks

        checks = await run_checks(
            await asyncio.to_thread(load_settings, settings.find_home_folder())
        )
        return {"checks": [panel.check_json(check) for check in checks]}

    return await background.run_on_loop(check)


async def _test_uploads(request: web.Request, body: Json) -> Json:
    async def send(session: Session) -> Json:
        from ...seedream_api.jobs.upload_references import try_upload_target

        sent = await try_upload_target(session)
        if sent is None:
            return {"way": None, "expires_at": None}
        return {"way": sent.target, "expires_at": sent.expires_at}

    return await background.run_in_session(send)


# --- quotes -------------------------------------------------------------------------------------


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
        facts = {"error": settings.error_json(error), "type": type(error).__name__}
        return {"images": 0, "state": None, "sandbox": False, "key": error.key, **facts}


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/settings", _get_settings),
    ("POST", "/settings", _save_settings),
    ("GET", "/about", _get_about),
    ("POST", "/doctor", _run_doctor),
    ("POST", "/uploads/test", _test_uploads),
    ("POST", "/quote", _estimate),
    *PROFILE_ROUTES,
    *COST_ROUTES,
    *MODEL_ROUTES,
    *task_routes.ROUTES,
    *recovery_routes.ROUTES,
)
