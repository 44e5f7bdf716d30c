"""A web service with one session per worker: ``uvicorn fastapi_app:app``.

Equal requests share one charge, those of several workers too. A caller that disconnects cancels its
wait; what was sent is still recorded, and the next equal request gets its images.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from seedream_api import Request, SeedreamError, Session, WaitTimedOut, generate


class Order(BaseModel):
    """What a caller sends."""

    prompt: str
    model: str = "Seedream-4.5"
    seed: int = 0


class Images:
    """The session of this worker, open while the application runs."""

    session: Session

    @asynccontextmanager
    async def open(self, app: object) -> AsyncIterator[None]:
        async with Session() as self.session:
            yield

    async def make(self, order: Order) -> dict[str, Any]:
        request = Request(model=order.model, prompt=order.prompt, seed=order.seed)
        try:
            result = await generate(request, self.session, timeout_s=120)
        except WaitTimedOut as error:
            raise HTTPException(202, {"task_id": error.task_id}) from error
        except SeedreamError as error:
            detail = {"message": error.message("en"), "charge": error.charge.value}
            status = 422 if error.field or error.exit_code == 2 else 502
            raise HTTPException(status, detail) from error
        return result.to_dict()


images = Images()
app = FastAPI(lifespan=images.open)
app.post("/images")(images.make)
