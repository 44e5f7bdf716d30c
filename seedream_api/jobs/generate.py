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
from ..ledger.records import JobRecord
from ..ledger.request_identity import identify
from ..ledger.states import JobSpec, fingerprint, key_fingerprint
from ..messages import Text
from ..redaction import strip_url_secrets
from ..service.models import Request
from ..service.polling import wait_limit_s
from ..service.references import PictureReference, UrlReference, read_identities
from ..service.validation import ValidatedRequest, validate_reference_urls, validate_request
from ..uploads import select_target
from .cancellation import noting_cancellation
from .job import Job, SubmitPlan
from .outcomes import build_result, pending_result
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
        SeedreamError: see ``errors``; the message says whether money was spent.
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
    checked = validate_request(request, settings.models)
    validate_reference_urls(request.references, settings)
    with noting_cancellation(lambda: Interrupted("interrupted_before")):
        spec = await build_spec(checked, session)
    has_pictures = any(isinstance(ref, PictureReference) for ref in request.references)
    target = select_target(session.client, checked.model) if has_pictures else None
    ledger = session.ledger

    async def claim() -> JobRecord:
        return await ledger.run(
            ledger.claim, spec, uuid.uuid4().hex, reuse=settings.is_on("SEEDREAM_REUSE")
        )

    def begin() -> Job:
        return Job(session, claim, timeout_s=limit_s, sending=SubmitPlan(request, target))

    return await wait_for_job(
        session, spec.fingerprint, begin, wait=wait, timeout_s=limit_s, progress=progress
    )


def _check_request_type(request: object) -> None:
    if not isinstance(request, Request):
        kind = type(request).__name__
        raise InvalidRequest(
            "value_malformed",
            field="request",
            given=kind,
            reason=Text("wrong_type", type=kind),
            allowed=Text("a_request"),
        )


async def build_spec(checked: ValidatedRequest, session: Session) -> JobSpec:
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
        await read_identities(request.references),
        request.seed,
    )
    return JobSpec(
        fingerprint=fingerprint(settings.address, body, references, request.seed),
        family=checked.model.family.value,
        model=checked.model.id,
        address=settings.address,
        key_fingerprint=key_fingerprint(key),
        prompt=request.prompt if settings.is_on("SEEDREAM_STORE_PROMPTS") else None,
        fields={name: value for name, value in body.items() if name != "prompt"},
        references=references,
        seed=request.seed,
        asked=request.asked_images(),
        notes=checked.notes,
        hidden=_texts_to_withhold(request, settings),
        also=also,
    )


def _texts_to_withhold(request: Request, settings: Settings) -> tuple[str, ...]:
    """The texts of a request that its row does not hold, and no response kept beside it may."""
    urls = (one.url for one in request.references if isinstance(one, UrlReference))
    signed = (url for url in urls if strip_url_secrets(url) != url)
    return (*signed, *(() if settings.is_on("SEEDREAM_STORE_PROMPTS") else (request.prompt,)))


async def wait_for_job(
    session: Session,
    key: str,
    begin: Callable[[], Job],
    *,
    wait: bool,
    timeout_s: float,
    progress: Listener | None,
) -> Result:
    """Wait for the work of this key, begun here or by another node; one charge serves all."""
    deadline = session.clock() + timeout_s
    while True:
        job, is_joined = get_or_start(session, key, begin)
        awaited: set[asyncio.Future[object]] = {job.task}  # type: ignore[arg-type]
        if not wait:
            awaited.add(job.accepted)  # type: ignore[arg-type]
        with noting_cancellation(job.cancellation_error):
            left = max(0.0, deadline - session.clock())
            is_done = await _wait(job, awaited, progress, left)
            if is_joined and job.task.cancelled() and not session.is_closing:
                continue  # its last waiter withdrew it just when we came
            try:
                return await build_result(session, job, is_joined=is_joined, is_done=is_done)
            except WaitTimedOut:
                # The work was begun by someone who waits for less long than we do.
                if not (is_joined and job.task.done() and session.clock() < deadline):
                    raise


async def _wait(
    job: Job,
    awaited: set[asyncio.Future[object]],
    progress: Listener | None,
    timeout_s: float | None = None,
) -> bool:
    """Whether one of ``awaited`` has come within ``timeout_s``."""
    job.add_waiter(progress)
    try:
        done, _ = await asyncio.wait(
            awaited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        job.remove_waiter(progress)
    return bool(done)


def get_or_start(session: Session, key: str, begin: Callable[[], Job]) -> tuple[Job, bool]:
    """The work of this key, and whether it was under way already."""
    found = session.running_jobs.get(key)
    if found is not None and not found.task.done():
        return found, True
    job = session.running_jobs[key] = begin()

    def forget(task: asyncio.Task[JobRecord]) -> None:
        if session.running_jobs.get(key) is job:
            del session.running_jobs[key]
        if not task.cancelled():
            task.exception()  # nobody may be waiting any more; the ledger has it

    job.task.add_done_callback(forget)
    return job, False


async def check_once(
    session: Session, key: str, begin: Callable[[], Job], progress: Listener | None
) -> Result:
    """One look: the images if the task is ready, else a pending result."""
    job, is_joined = get_or_start(session, key, begin)
    with noting_cancellation(job.cancellation_error):
        job.add_waiter(progress)
        try:
            if not is_joined or await _is_finished(job):
                await asyncio.wait({job.task})
        finally:
            job.remove_waiter(progress)
        try:
            return await build_result(session, job, is_joined=is_joined, is_done=job.task.done())
        except WaitTimedOut:
            row = job.current_row
            if row is None:
                raise
            return pending_result(job, row, "pending", Origin.RESUMED)


async def _is_finished(job: Job) -> bool:
    """Whether work under way sees the end of its task, at a look that is asked for now."""
    poll = job.signal.request_poll()
    await asyncio.wait({job.task, poll}, return_when=asyncio.FIRST_COMPLETED)
    return job.task.done() or not poll.result()
