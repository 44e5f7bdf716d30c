"""The one road of everything paid; nodes and the command line walk it alike.

request, checked -> ledger: intended -> references travel -> ledger: sending -> POST ->
ledger: accepted -> poll -> ledger: answered -> download -> ledger: stored -> result.
The steps themselves are in ``steps.py``, what comes of them in ``outcomes.py``; here is who joins.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

from ..callbacks import check_callback
from ..config.settings import Settings, load_settings
from ..errors import Interrupted, InvalidRequest, WaitTimedOut
from ..ledger.records import Row
from ..ledger.request_identity import identify
from ..ledger.states import Intent, fingerprint, key_print
from ..redaction import bare_url
from ..service.models import Request
from ..service.polling import wait_limit_s
from ..service.references import PictureReference, UrlReference, identities
from ..service.validation import Checked, check_reachable, check_request
from ..uploads import choose_way
from .cancellation import noting_cancellation
from .job import Sending, Work
from .outcomes import outcome_of, unfinished
from .results import Origin, Progress, Result
from .session import Session

Listener = Callable[[Progress], None]


async def generate(
    request: Request,
    session: Session | None = None,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Listener | None = None,
) -> Result:
    """Make images, paid for once, or give back those that the same request made before.

    Args:
        session: the open session; without one, one is opened for this call from the environment.
        wait: whether to wait for a task; if not, the result is ``submitted`` once its id is known.
        timeout_s: how long to wait; by default ``SEEDREAM_TIMEOUT_S``.
        progress: told of every step, on the session's event loop.

    Raises:
        SeedreamError: see ``errors.py``; the message says whether money was spent.
        asyncio.CancelledError: the caller was cancelled; a note says what was sent. What was sent
            is written down: leaving the session waits for its response.
    """
    _check_request_type(request)
    if session is None:
        async with Session(load_settings()) as own:
            return await generate(request, own, wait=wait, timeout_s=timeout_s, progress=progress)
    session.check_usable()
    settings = session.settings
    limit_s = wait_limit_s(timeout_s, settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    checked = check_request(request, settings.models)
    check_reachable(request.references, settings)
    with noting_cancellation(lambda: Interrupted("interrupted_before")):
        intent = await intent_of(checked, session)
    has_pictures = any(isinstance(ref, PictureReference) for ref in request.references)
    way = choose_way(session.client, checked.model) if has_pictures else None
    ledger = session.ledger

    async def claim() -> Row:
        return await ledger.run(
            ledger.claim, intent, uuid.uuid4().hex, reuse=settings.is_on("SEEDREAM_REUSE")
        )

    def begin() -> Work:
        return Work(session, claim, timeout_s=limit_s, sending=Sending(request, way))

    return await joined(
        session, intent.fingerprint, begin, wait=wait, timeout_s=limit_s, progress=progress
    )


def _check_request_type(request: object) -> None:
    if not isinstance(request, Request):
        kind = type(request).__name__
        raise InvalidRequest(
            "value_malformed",
            field="request",
            given=kind,
            reason=f"it is a {kind}",
            allowed="a Request",
        )


async def intent_of(checked: Checked, session: Session) -> Intent:
    """The wish as it is written down; its fingerprint decides what has been paid for already.

    Raises:
        ConfigurationError: there is no key for the address.
        LedgerFailed: the ledger cannot be read.
    """
    settings, ledger = session.settings, session.ledger
    key, request = settings.key.get_secret_value(), checked.request
    body = request.body(checked.model, ())
    references, also = await ledger.run(
        identify,
        ledger,
        settings.address,
        body,
        await identities(request.references),
        request.seed,
    )
    return Intent(
        fingerprint=fingerprint(settings.address, body, references, request.seed),
        family=checked.model.family.value,
        model=checked.model.id,
        address=settings.address,
        key_print=key_print(key),
        prompt=request.prompt if settings.is_on("SEEDREAM_STORE_PROMPTS") else None,
        fields={name: value for name, value in body.items() if name != "prompt"},
        references=references,
        seed=request.seed,
        asked=request.asked_images(),
        notes=checked.notes,
        hidden=_hidden(request, settings),
        also=also,
    )


def _hidden(request: Request, settings: Settings) -> tuple[str, ...]:
    """The texts of a request that its row does not hold, and no response kept beside it may."""
    urls = (one.url for one in request.references if isinstance(one, UrlReference))
    signed = (url for url in urls if bare_url(url) != url)
    return (*signed, *(() if settings.is_on("SEEDREAM_STORE_PROMPTS") else (request.prompt,)))


async def joined(
    session: Session,
    key: str,
    begin: Callable[[], Work],
    *,
    wait: bool,
    timeout_s: float,
    progress: Listener | None,
) -> Result:
    """Wait for the work of this key, begun here or by another node; one charge serves all."""
    deadline = session.clock() + timeout_s
    while True:
        work, is_joined = _work(session, key, begin)
        awaited: set[asyncio.Future[object]] = {work.task}  # type: ignore[arg-type]
        if not wait:
            awaited.add(work.accepted)  # type: ignore[arg-type]
        with noting_cancellation(work.interruption):
            left = max(0.0, deadline - session.clock())
            is_done = await _wait(work, awaited, progress, left)
            if is_joined and work.task.cancelled() and not session.is_closing:
                continue  # its last waiter withdrew it just when we came
            try:
                return await outcome_of(session, work, is_joined=is_joined, is_done=is_done)
            except WaitTimedOut:
                # The work was begun by someone who waits for less long than we do.
                if not (is_joined and work.task.done() and session.clock() < deadline):
                    raise


async def _wait(
    work: Work,
    awaited: set[asyncio.Future[object]],
    progress: Listener | None,
    timeout_s: float | None = None,
) -> bool:
    """Whether one of ``awaited`` has come within ``timeout_s``."""
    work.enter(progress)
    try:
        done, _ = await asyncio.wait(
            awaited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        work.leave(progress)
    return bool(done)


def _work(session: Session, key: str, begin: Callable[[], Work]) -> tuple[Work, bool]:
    """The work of this key, and whether it was under way already."""
    found = session.works.get(key)
    if found is not None and not found.task.done():
        return found, True
    work = session.works[key] = begin()

    def forget(task: asyncio.Task[Row]) -> None:
        if session.works.get(key) is work:
            del session.works[key]
        if not task.cancelled():
            task.exception()  # nobody may be waiting any more; the ledger has it

    work.task.add_done_callback(forget)
    return work, False


async def look_once(
    session: Session, key: str, begin: Callable[[], Work], progress: Listener | None
) -> Result:
    """One look: the images if the task is ready, else a pending result."""
    work, is_joined = _work(session, key, begin)
    with noting_cancellation(work.interruption):
        work.enter(progress)
        try:
            if not is_joined or await _is_over(work):
                await asyncio.wait({work.task})
        finally:
            work.leave(progress)
        try:
            return await outcome_of(session, work, is_joined=is_joined, is_done=work.task.done())
        except WaitTimedOut:
            row = work.known_row
            if row is None:
                raise
            return unfinished(work, row, "pending", Origin.RESUMED)


async def _is_over(work: Work) -> bool:
    """Whether work under way sees the end of its task, at a look that is asked for now."""
    look = work.watch.ask()
    await asyncio.wait({work.task, look}, return_when=asyncio.FIRST_COMPLETED)
    return work.task.done() or not look.result()
