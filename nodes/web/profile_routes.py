"""HTTP routes of the profiles in the settings panel."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..host import background
from . import panel, profiles

Json = dict[str, Any]


async def _list(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(profiles.list_profiles)


async def _save(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(profiles.save_profile, body)
    return await asyncio.to_thread(profiles.list_profiles)


async def _rename(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(profiles.rename_profile, body.get("name"), body.get("new_name"))
    return await asyncio.to_thread(profiles.list_profiles)


async def _remove(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(profiles.remove_profile, body.get("name"))
    return await asyncio.to_thread(profiles.list_profiles)


async def _check(request: web.Request, body: Json) -> Json:
    checks = await background.run_on_loop(lambda: profiles.check_profile(body.get("name")))
    return {"checks": [panel.check_json(check) for check in checks]}


ROUTES = (
    ("GET", "/profiles", _list),
    ("POST", "/profiles", _save),
    ("POST", "/profiles/rename", _rename),
    ("POST", "/profiles/remove", _remove),
    ("POST", "/profiles/test", _check),
)
