"""A background task that may be repeated: ``celery -A celery_task worker``.

With ``acks_late`` and ``reject_on_worker_lost``, a task whose process is killed is run again. That
costs nothing: the ledger knows that the request was sent, and the second run fetches its images
instead of paying again. Queue one with ``task.delay("A cat")``.
"""

from __future__ import annotations

import os

from celery import Celery

from seedream_api import NotSent, RateLimited, ReadFailed, Request, ServiceBusy, WaitTimedOut
from seedream_api.sync import Session, generate

RETRIED = (NotSent, RateLimited, ReadFailed, ServiceBusy, WaitTimedOut)
"""Errors after which running the same task again is free, or pays for the first time."""


def make_image(prompt: str, seed: int = 0) -> list[str]:
    """Make an image and return the paths of its copies. Each call opens its own session."""
    with Session() as session:
        result = generate(Request(model="Seedream-4.5", prompt=prompt, seed=seed), session)
        return [str(image.save("out")) for image in result.images]


app = Celery("images", broker=os.environ.get("BROKER_URL", "memory://"))
task = app.task(
    make_image,
    name="make_image",
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=RETRIED,
    retry_backoff=True,
)
