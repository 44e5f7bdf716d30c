"""A background task that any machine may run, and run again: ``celery -A celery_task worker``.

With ``acks_late`` and ``reject_on_worker_lost``, the broker delivers a task again if its process or
its machine dies. That costs nothing: the ledger knows that the request was sent, and the second run
fetches its images instead of paying again. On several machines, set ``SEEDREAM_LEDGER`` to one
database. Queue a task with ``task.delay("A cat")``.
"""

from __future__ import annotations

import functools
import os

from celery import Celery

from seedream_api import (
    LedgerFailed,
    NotSent,
    RateLimited,
    ReadFailed,
    Request,
    SeedreamError,
    ServiceBusy,
    WaitTimedOut,
)
from seedream_api.sync import Session, generate

FREE = (LedgerFailed, NotSent, RateLimited, ReadFailed, ServiceBusy, WaitTimedOut)
"""Errors after which running the same task again is free, or pays for the first time."""


class ImageFailed(Exception):
    """Running the task again would not help; the text is the client's message."""


class TryAgain(Exception):
    """The task failed for a reason that passes."""


@functools.cache
def open_session() -> Session:
    """Open the session of this process, which ends with the process."""
    return Session().open()


def make_image(prompt: str, seed: int = 0, model: str = "Seedream-4.5") -> list[str]:
    """Make an image and return the paths of its copies on this machine."""
    try:
        result = generate(Request(model=model, prompt=prompt, seed=seed), open_session())
        return [str(image.save("out").resolve()) for image in result.images]
    except FREE as error:
        raise TryAgain(str(error)) from None
    except SeedreamError as error:
        raise ImageFailed(str(error)) from None


app = Celery(
    "images",
    broker=os.environ.get("BROKER_URL", "memory://"),
    backend=os.environ.get("RESULT_URL"),
)
app.conf.worker_prefetch_multiplier = 1
# Redis delivers the tasks of a dead machine again after these seconds. A task that takes longer is
# delivered while it still runs; the second run waits for the first one, and pays nothing.
app.conf.broker_transport_options = {"visibility_timeout": 600}
task = app.task(
    make_image,
    name="make_image",
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(TryAgain,),
    retry_backoff=True,
    retry_backoff_max=60,
    max_retries=20,
)
