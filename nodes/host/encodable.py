"""Text that every log stream of the process can hold.

ComfyUI logs a failed node's exception on streams that it opens strictly. Where one of them is not
UTF-8 (redirected output on Windows, ``PYTHONIOENCODING``), a character that its encoding lacks
raises inside the logging call, which ends ComfyUI's prompt thread. So what leaves this pack as an
exception or a log record has such characters as escapes, ``\\u5df2``.
"""

from __future__ import annotations

import codecs
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from ...seedream_api.errors import SeedreamError
from ..web.settings import log

T = TypeVar("T")


def encodable(text: str) -> str:
    """The text with an escape in place of each character that some log stream cannot encode."""
    for encoding in _strict_encodings():
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _strict_encodings() -> set[str]:
    """The encodings of the standard streams and of all logging handlers.

    UTF-8 is always among them: half a surrogate pair is no text for a browser either.
    """
    found = {"utf-8"}
    for stream in _streams():
        name, errors = getattr(stream, "encoding", None), getattr(stream, "errors", None)
        if not isinstance(name, str) or errors not in (None, "strict", "surrogateescape"):
            continue
        try:
            found.add(codecs.lookup(name).name)
        except LookupError:
            found.add("ascii")
    return found


def _streams() -> Iterator[Any]:
    yield from (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
    loggers: list[Any] = [logging.getLogger(), *list(logging.root.manager.loggerDict.values())]
    for logger in loggers:  # placeholders among them have no handlers
        for handler in tuple(getattr(logger, "handlers", ())):
            yield getattr(handler, "stream", None) or handler
            yield getattr(getattr(handler, "console", None), "file", None)


class EncodableFilter(logging.Filter):
    """Makes the records of the pack's logger encodable; lets every one pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = encodable(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = encodable("".join(traceback.format_exception(*record.exc_info)))
            record.exc_info = None
        return True


def filter_logs() -> None:
    """Filter what the pack logs; a logger's filter does not see the records of loggers below it."""
    for logger in (log, log.getChild("sandbox")):
        logger.addFilter(_FILTER)


_FILTER = EncodableFilter()


def raises_encodable(execute: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """Let a node's ``execute`` raise only what the host can log.

    Our own errors are whole without a traceback. Of another exception that cannot be logged as it
    is, the whole traceback becomes the text.
    """

    @wraps(execute)
    async def checked(*args: Any, **given: Any) -> T:
        try:
            return await execute(*args, **given)
        except SeedreamError as error:
            error.args = (encodable(str(error)),)
            if notes := getattr(error, "__notes__", None):
                vars(error)["__notes__"] = [encodable(note) for note in notes]
            raise error.with_traceback(None) from None
        except Exception as error:
            whole = "".join(traceback.format_exception(error))
            if encodable(whole) == whole:
                raise
            reason = encodable(whole)
        raise RuntimeError(reason)

    return checked
