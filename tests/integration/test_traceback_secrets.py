"""The key is in no traceback that shows local variables, whatever ends a paid request."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest

from seedream_api import Request, SeedreamClient
from seedream_api.errors import SeedreamError
from support.fake_service import DropAfterReceipt, Status

FAULTS = [Status(401), Status(400), Status(502, charged=True), DropAfterReceipt()]


def show_frames(error: BaseException | None) -> str:
    """Show the local variables of the client's own frames, those of causes too."""
    shown = ""
    while error is not None:
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
        inside = [frame for frame in found.stack if "/seedream_api/" in frame.filename]
        shown += "".join(f"{frame.name} {frame.locals}" for frame in inside)
        error = error.__cause__ or error.__context__
    return shown


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_key_is_in_no_traceback_of_a_paid_request(api_client: Any, fault: Any) -> None:
    api_client.sandbox.faults.push("generate", fault)

    async def submit() -> None:
        async with SeedreamClient(api_client.settings()) as client:
            await client.submit(Request(model="Seedream-4.5", prompt="A cat"))

    with pytest.raises(SeedreamError) as caught:
        asyncio.run(submit())
    shown = show_frames(caught.value)
    assert "submit" in shown
    assert api_client.settings().key.get_secret_value() not in shown
