"""Text that every log stream of the process can encode.

ComfyUI logs the exception of a failed node to strict streams. If one of them is not UTF-8
(redirected output on Windows, ``PYTHONIOENCODING``), a character that its encoding lacks raises
inside the logging call, which ends ComfyUI's prompt thread. So exceptions and log records of this
pack have such characters as escapes, ``\\u5df2``.
"""

from __future__ import annotations

import codecs
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from comfy.model_management import InterruptProcessingException

from ...seedream_api.errors import SeedreamError
from ..web.settings import log
from .viewer import Viewer

T = TypeVar("T")


def to_encodable(text: str) -> str:
    """Escape each character of a text that a log stream cannot encode."""
    for encoding in _find_strict_encodings():
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _find_strict_encodings() -> set[str]:
    """Find the encodings of the standard streams and of all logging handlers.

    UTF-8 is always among them, because browsers cannot show half a surrogate pair either.
    """
    found = {"utf-8"}
    for stream in _iterate_streams():
        name, errors = getattr(stream, "encoding", None), getattr(stream, "errors", None)
        if not isinstance(name, str) or errors not in (None, "strict", "surrogateescape"):
            continue
        try:
            found.add(codecs.lookup(name).name)
        except LookupError:
            found.add("ascii")
    return found


def _iterate_streams() -> Iterator[Any]:
    yield from (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
    loggers: list[Any] = [logging.getLogger(), *list(logging.root.manager.loggerDict.values())]
    for logger in loggers:  # some are placeholders without handlers
        for handler in tuple(getattr(logger, "handlers", ())):
            yield getattr(handler, "stream", None) or handler
            yield getattr(getattr(handler, "console", None), "file", None)


class EncodableFilter(logging.Filter):
    """Makes the records of the pack's logger encodable; rejects none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = to_encodable(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = to_encodable("".join(traceback.format_exception(*record.exc_info)))
            record.exc_info = None
        return True


def shorten_error_names() -> None:
    """Name the pack's errors without the path of its folder, which ComfyUI would show."""
    for error_type in [SeedreamError, *_list_subclasses(SeedreamError)]:
        error_type.__module__ = "seedream_api"


def _list_subclasses(base: type) -> Iterator[type]:
    for error_type in base.__subclasses__():
        yield error_type
        yield from _list_subclasses(error_type)


def filter_logs() -> None:
    """Add the filter to the pack's loggers; a child's records do not pass its parent's filter."""
    for logger in (log, log.getChild("sandbox")):
        logger.addFilter(_FILTER)


_FILTER = EncodableFilter()


def with_encodable_errors(execute: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """Make a node's ``execute`` raise only what the host can log, and show why on the node.

    Errors of the pack are raised without a traceback. Another exception that cannot be logged
    becomes a ``RuntimeError`` with the escaped traceback as its text.
    """

    @wraps(execute)
    async def checked(*args: Any, **given: Any) -> T:
        try:
            return await execute(*args, **given)
        except InterruptProcessingException:  # an ordinary exception before ComfyUI 0.20
            raise
        except SeedreamError as error:
            Viewer.of_node(args[0]).send_end("failed", error)
            error.args = (to_encodable(str(error)),)
            if notes := getattr(error, "__notes__", None):
                vars(error)["__notes__"] = [to_encodable(note) for note in notes]
            raise error.with_traceback(None) from None
        except Exception as error:
            Viewer.of_node(args[0]).send_end("failed")
            whole = "".join(traceback.format_exception(error))
            if to_encodable(whole) == whole:
                raise
            reason = to_encodable(whole)
        raise RuntimeError(reason)

    return checked
