"""Make images, paid for once: the path of every paid request, for nodes and command line alike.

request, validated -> ledger: intended -> references uploaded -> ledger: sending -> POST ->
ledger: accepted -> poll -> ledger: answered -> download -> ledger: stored -> result.
``steps.py`` has the steps, ``runner.py`` runs them, ``outcomes.py`` builds the result.
"""

from __future__ import annotations

from ..callbacks import check_callback
from ..config.settings import Settings, load_settings
from ..errors import Interrupted, InvalidRequest
from ..ledger.states import JobSpec, fingerprint, key_fingerprint
from ..redaction import strip_url_secrets
from ..service.polling import wait_limit_s
from ..service.references import PictureReference, UrlReference, read_identities
from ..service.request import Request
from ..service.validation import ValidatedRequest, validate_reference_urls, validate_request
from ..uploads.choose import select_target
from .cancellation import noting_cancellation
from .registry import Listener, wait_for_job
from .results import Result
from .session import Session
from .sources import NewRequest


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
    checked = validate_request(request, settings.models)
    validate_reference_urls(request.references, settings)
    with noting_cancellation(lambda: Interrupted("interrupted_before")):
        spec = await build_spec(checked, session)
    has_pictures = any(isinstance(ref, PictureReference) for ref in request.references)
    target = select_target(session.client, checked.model) if has_pictures else None
    source = NewRequest(spec, request, target, reuse=settings.is_on("SEEDREAM_REUSE"))
    return await wait_for_job(
        session, spec.fingerprint, source, wait=wait, timeout_s=limit_s, progress=progress
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


async def build_spec(checked: ValidatedRequest, session: Session) -> JobSpec:
    """The wish as it is written down; its fingerprint decides what has been paid for already.

    Raises:
        ConfigurationError: there is no key for the address.
        LedgerFailed: the ledger cannot be read.
    """
    settings, ledger = session.settings, session.ledger
    key, request = settings.key.get_secret_value(), checked.request
    body = request.body(checked.model, ())
    references, also = await ledger.identify_request(
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
