"""HTTP routes of the costs in the settings panel: the price table and the usage."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..host import background
from . import prices
from .usage import summarize_usage

Json = dict[str, Any]


async def _get_prices(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(prices.list_prices)


async def _save_prices(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(prices.save_prices, body.get("prices"))
    return await asyncio.to_thread(prices.list_prices)


async def _get_usage(request: web.Request, body: Json) -> Json:
    return await background.run_in_session(summarize_usage)


ROUTES = (
    ("GET", "/prices", _get_prices),
    ("POST", "/prices", _save_prices),
    ("GET", "/usage", _get_usage),
)
