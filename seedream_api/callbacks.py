"""Functions that callers hand in: checked before anything is sent, and never able to end a job."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, cast

from .errors import InvalidRequest
from .messages import Text

log: logging.Logger = logging.getLogger("seedream")


def check_callback(callback: object, field: str = "progress") -> None:
    """Refuse a callback that is not callable or would have to be awaited.

    Raises:
        InvalidRequest: it is neither ``None`` nor an ordinary function.
    """
    if callback is None:
        return
    if not callable(callback):
        raise _refused(field, callback, Text("wrong_type", type=type(callback).__name__))
    called = getattr(type(callback), "__call__", None)  # noqa: B004
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(called):
        raise _refused(field, callback, Text("asynchronous"))


def call_first(callback: Callable[..., object], *values: object, field: str = "progress") -> None:
    """Call it for the first time, before anything is sent: only now is seen what it returns.

    Raises:
        InvalidRequest: it returned something to await.
    """
    if call_back(callback, *values):
        raise _refused(field, callback, Text("asynchronous"))


def call_back(callback: Callable[..., object], *values: object) -> bool:
    """Call it and log what it raises; whether it returned something to await."""
    try:
        returned = callback(*values)
    except (Exception, asyncio.CancelledError):
        log.warning("a progress callback failed; the job continues", exc_info=True)
        return False
    if not inspect.isawaitable(returned):
        return False
    if inspect.iscoroutine(returned):
        cast("Coroutine[Any, Any, Any]", returned).close()
    return True


def _refused(field: str, callback: object, reason: str) -> InvalidRequest:
    name = getattr(callback, "__name__", type(callback).__name__)
    return InvalidRequest(
        "value_malformed", field=field, given=name, reason=reason, allowed=Text("a_function")
    )
