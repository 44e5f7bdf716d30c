"""Exceptions and log records that every stream of the host can hold."""

from __future__ import annotations

import asyncio
import importlib
import io
import logging
import traceback
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def encodable(pack: ModuleType) -> Any:
    module = importlib.import_module(f"{pack.__name__}.nodes.host.encodable")
    module.filter_logs()
    return module


@pytest.fixture(params=["cp1252", "ascii", "gbk", "cp437"])
def stream(request: pytest.FixtureRequest) -> Iterator[io.TextIOWrapper]:
    """A strict log stream, as ComfyUI opens them, behind a handler of the root logger."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=request.param, write_through=True)
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


ANY = "已付费 \U0001f3a8 naïve \ud83d end"


NODE = SimpleNamespace(hidden=None)


async def fails_with(node: Any, error: BaseException) -> None:
    raise error


def raised(encodable: Any, error: BaseException) -> str:
    """The traceback of what leaves a node that raises this."""
    with pytest.raises(type(error)) as caught:
        asyncio.run(encodable.with_encodable_errors(fails_with)(NODE, error))
    return "".join(traceback.format_exception(caught.value))


def test_error_of_ours_keeps_its_type(encodable: Any, pack: ModuleType, stream: Any) -> None:
    errors = importlib.import_module(f"{pack.__name__}.seedream_api.errors")
    error = errors.InvalidRequest("input_unknown", given=ANY, allowed=ANY)
    stream.write(raised(encodable, error))


@pytest.mark.parametrize("cause", [None, ValueError(ANY)])
def test_foreign_error_is_escaped_with_its_causes(
    encodable: Any, stream: Any, cause: BaseException | None
) -> None:
    error = RuntimeError(ANY)
    error.__cause__ = cause
    text = raised(encodable, error)
    stream.write(text)
    assert "naïve" in text or "na\\xefve" in text


@pytest.mark.parametrize("name", ["seedream", "seedream.sandbox"])
def test_log_record_is_escaped_with_its_traceback(
    encodable: Any, stream: Any, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger(name).error("%s %s", ANY, 1, exc_info=ValueError(ANY))
    assert "Logging error" not in capfd.readouterr().err
    assert b"end 1" in stream.buffer.getvalue()
