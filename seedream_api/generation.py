"""The one road of everything paid; nodes and the command line walk it alike.

request, checked -> ledger: intended -> references travel -> ledger: sending -> POST ->
ledger: accepted -> poll -> ledger: answered -> download -> ledger: stored -> result.
The steps themselves are in ``work.py``; here is who joins them and what they get.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from .checks import Checked, check_request
from .config import Settings, load_settings
from .errors import (
    Charge,
    LedgerFailed,
    PartialResult,
    ResultUnavailable,
    SeedreamError,
    WaitTimedOut,
)
from .intents import Intent, State, fingerprint, key_print
from .ledger_rows import Image, Row
from .models import Request
from .references import PictureReference, identities
from .results import Failure, Origin, Progress, Result, StoredImage
from .session import Session
from .uploads import choose_way
from .work import Sending, Work

log = logging.getLogger("seedream")

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
    """
    if session is None:
        async with Session(load_settings()) as own:
            return await generate(request, own, wait=wait, timeout_s=timeout_s, progress=progress)
    settings = session.settings
    checked = check_request(request, settings.models)
    intent = await intent_of(checked, settings)
    has_pictures = any(isinstance(ref, PictureReference) for ref in request.references)
    way = choose_way(session.client, checked.model) if has_pictures else None
    ledger = session.ledger

    async def claim() -> Row:
        return await ledger.run(
            ledger.claim, intent, uuid.uuid4().hex, reuse=settings.is_on("SEEDREAM_REUSE")
        )

    limit_s = timeout_s or settings.number("SEEDREAM_TIMEOUT_S")

    def begin() -> Work:
        return Work(session, claim, timeout_s=limit_s, sending=Sending(request, way))

    return await joined(
        session, intent.fingerprint, begin, wait=wait, timeout_s=limit_s, progress=progress
    )


async def intent_of(checked: Checked, settings: Settings) -> Intent:
    """The wish as it is written down; its fingerprint decides what has been paid for already.

    Raises:
        ConfigurationError: there is no key for the address.
    """
    key, request = settings.key.get_secret_value(), checked.request
    references = await identities(request.references)
    body = request.body(checked.model, ())
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
    )


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
        work.enter(progress)
        try:
            awaited: set[asyncio.Future[object]] = {work.task}  # type: ignore[arg-type]
            if not wait:
                awaited.add(work.accepted)  # type: ignore[arg-type]
            left = max(0.0, deadline - session.clock())
            done, _ = await asyncio.wait(awaited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # A cancellation that left this loop as such could kill the host's.
            raise work.interruption() from None
        finally:
            work.leave(progress)
        if is_joined and work.task.cancelled() and not session.is_closing:
            continue  # its last waiter withdrew it just when we came
        try:
            return await _outcome(session, work, is_joined=is_joined, is_done=bool(done))
        except WaitTimedOut:
            # The work was begun by someone who waits for less long than we do.
            if not (is_joined and work.task.done() and session.clock() < deadline):
                raise


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
    work.enter(progress)
    try:
        if not is_joined or await _is_over(work):
            await asyncio.wait({work.task})
    except asyncio.CancelledError:
        raise work.interruption() from None
    finally:
        work.leave(progress)
    try:
        return await _outcome(session, work, is_joined=is_joined, is_done=work.task.done())
    except WaitTimedOut:
        row = work.row or work.theirs
        if row is None:
            raise
        return _unfinished(work, row, "pending", Origin.RESUMED)


async def _is_over(work: Work) -> bool:
    """Whether work under way sees the end of its task, at a look that is asked for now."""
    look = work.watch.ask()
    await asyncio.wait({work.task, look}, return_when=asyncio.FIRST_COMPLETED)
    return work.task.done() or not look.result()


async def _outcome(session: Session, work: Work, *, is_joined: bool, is_done: bool) -> Result:
    origin = Origin.JOINED if is_joined else work.origin
    if work.task.done():
        if work.task.cancelled():
            raise work.interruption()
        row = work.task.result()
        return await _result(session, work, row, origin)
    row = work.row or work.theirs
    if not is_done or row is None:
        raise _timed_out(session, work)
    return _unfinished(work, row, "submitted", origin)


def _timed_out(session: Session, work: Work) -> WaitTimedOut:
    row = work.row or work.theirs
    task_id = row.task_id if row else None
    is_sent = work.was_sent or work.is_sent_elsewhere
    return WaitTimedOut(
        "wait_timed_out" if task_id else "answer_timed_out",
        task_id=task_id,
        charge=Charge.RUNNING if is_sent else Charge.NONE,
        word=work.latest.word or work.latest.phase.value,
        waited=round(session.clock() - work.begun),
    )


def _unfinished(work: Work, row: Row, status: str, origin: Origin) -> Result:
    return Result(
        status=status,
        entry=row.id,
        origin=origin,
        model=row.model,
        task_id=row.task_id,
        asked=row.asked,
        charged_images=row.asked if origin is Origin.NEW else 0,
        notes=(*row.notes, *work.travel_notes),
        seconds=work.latest.seconds,
    )


async def _result(session: Session, work: Work, row: Row, origin: Origin) -> Result:
    """The result of a row whose images are stored, as far as they could be fetched.

    Raises:
        ResultUnavailable: not one could be fetched.
        PartialResult: some failed and ``SEEDREAM_PARTIAL`` is ``fail``.
    """
    ledger = session.ledger
    images = await ledger.run(ledger.images, row.id)
    stored = tuple(_stored(image, row.task_id) for image in images if image.file is not None)
    failures = tuple(
        _failure(image, row, work.download_failures.get(image.position))
        for image in images
        if image.file is None
    )
    if not stored:
        raise _nothing_fetched(row, failures)
    if failures and session.settings.text("SEEDREAM_PARTIAL") == "fail":
        raise PartialResult(
            "partial_result",
            task_id=row.task_id,
            failed=len(failures),
            total=len(images),
            reason="; ".join(failure.reason for failure in failures),
        )
    is_fetched = origin in (Origin.NEW, Origin.RESUMED)
    pruned = await _delivered(session, row, sum(i.bytes for i in stored) if is_fetched else 0)
    service_s = row.answered_at - row.accepted_at if row.answered_at and row.accepted_at else None
    return Result(
        status="partial" if failures or row.state is State.PARTIAL else "completed",
        entry=row.id,
        origin=origin,
        model=row.model,
        task_id=row.task_id,
        images=stored,
        failures=failures,
        asked=row.asked,
        charged_images=row.charged_images(images) if origin is Origin.NEW else 0,
        notes=(*row.notes, *work.travel_notes, *([pruned] if pruned else [])),
        seconds=session.clock() - work.begun,
        service_seconds=service_s,
    )


async def _delivered(session: Session, row: Row, more_bytes: int) -> str | None:
    """Tidy up behind a result, which is given out whether that succeeds or not."""
    try:
        await session.ledger.run(session.ledger.delivered, row.id)
        return await session.keep_store_bounded(more_bytes)
    except LedgerFailed as failed:
        log.warning("a delivered result was not noted: %s", failed.happened("en"))
        return None


def _stored(image: Image, task_id: str | None) -> StoredImage:
    assert image.file is not None, "the caller looked"  # noqa: S101
    return StoredImage(
        path=image.file,
        position=image.position,
        url=image.url,
        width=image.width,
        height=image.height,
        bytes=image.bytes,
        media_type=image.media_type,
        sha256=image.sha256 or "",
        task_id=task_id,
    )


def _failure(image: Image, row: Row, error: SeedreamError | None) -> Failure:
    reason = image.error or (error.message("en") if error else "it is not stored")
    return Failure(reason, position=image.position, task_id=row.task_id, error=error)


def _nothing_fetched(row: Row, failures: tuple[Failure, ...]) -> SeedreamError:
    first = next((failure.error for failure in failures if failure.error), None)
    if first is not None:
        return first
    reason = failures[0].reason if failures else "it names no image"
    return ResultUnavailable(
        "result_gone", charge=Charge.PAID, task_id=row.task_id, reason=reason, entry=row.id
    )
