"""The client without ``async``: for scripts, notebooks, Flask and other threaded programs.

    from seedream_api import Request
    from seedream_api.sync import Session, generate

    with Session() as session:
        result = generate(Request(model="Seedream-4.5", prompt="A cat on the grass"), session)

Names, arguments, results and errors are those of ``seedream_api``. A session runs its event loop in
a thread: it works inside a running loop too, several threads may use it at once, and callbacks are
called in its thread. Ctrl-C withdraws what was not sent; leaving the session waits for the response
to what was sent and records it.
"""

from __future__ import annotations

from .requests import collect, collect_all, generate, generate_all, plan_batch
from .session import Session

__all__ = ["Session", "collect", "collect_all", "generate", "generate_all", "plan_batch"]
