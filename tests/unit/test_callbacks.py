"""Functions and waiting times that callers hand in."""

from __future__ import annotations

import asyncio
import functools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from seedream_api.callbacks import call_back, call_first, check_callback
from seedream_api.errors import InvalidRequest
from seedream_api.service.polling import LONGEST_WAIT_S, wait_limit_s


async def asynchronous(*values: object) -> None:
    raise AssertionError(values)


class Awaitable:
    async def __call__(self, *values: object) -> None:
        raise AssertionError(values)


class Callable:
    def __call__(self, *values: object) -> None:
        pass


@pytest.mark.parametrize(
    "callback", [asynchronous, functools.partial(asynchronous, 1), Awaitable(), 5, "print"]
)
def test_callback_that_cannot_be_called_is_rejected(callback: Any) -> None:
    with pytest.raises(InvalidRequest, match="progress"):
        check_callback(callback)


@pytest.mark.parametrize("callback", [None, print, Callable(), lambda *values: None, list])
def test_ordinary_callback_is_accepted(callback: Any) -> None:
    check_callback(callback)


def test_callback_returning_a_coroutine_is_rejected_at_once() -> None:
    callbacks: list[Any] = [asynchronous, lambda step: asynchronous(step)]
    for callback in callbacks:
        with pytest.raises(InvalidRequest, match="asynchronous"):
            call_first(callback, 1)
    assert call_back(asynchronous, 1)


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError, UnicodeError])
def test_failing_callback_is_logged(error: type[BaseException], caplog: Any) -> None:
    def fail(step: object) -> None:
        raise error

    call_first(fail, 1)
    assert not call_back(fail, 1)
    assert "the job continues" in caplog.text and error.__name__ in caplog.text


NOT_TIMES = [
    0,
    -1,
    False,
    0.0,
    float("nan"),
    float("inf"),
    "3",
    True,
    [3],
    1e300,
    LONGEST_WAIT_S + 1,
]


@pytest.mark.parametrize("given", NOT_TIMES)
def test_invalid_timeout_is_rejected(given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"\btimeout_s\b") as caught:
        wait_limit_s(given, 1800.0)
    assert "秒" in caught.value.message("zh")
    assert "seconds" in caught.value.message("en") and "604800" in caught.value.message("en")


@pytest.mark.parametrize("given", [2, 0.5, Fraction(1, 2), np.float32(2), np.int64(3), 604_800])
def test_any_positive_number_is_a_timeout(given: Any) -> None:
    assert wait_limit_s(given, 1800.0) == float(given) and wait_limit_s(None, 7.0) == 7.0
