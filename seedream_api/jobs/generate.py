"""Generate images; nodes and command line both use :func:`generate` for every paid request.

The states in the ledger: ``intended`` -> upload references -> ``sending`` -> POST ->
``accepted`` -> poll -> ``answered`` -> download -> ``completed``. ``steps.py`` defines the steps,
``runner.py`` runs them, and ``outcomes.py`` builds the result.
"""

from __future__ import annotations

from ..callbacks import check_callback
from ..config.settings import Settings
from ..errors import Interrupted, InvalidRequest
from ..ledger.limits import Reservation
from ..ledger.states import JobSpec, fingerprint, key_fingerprint
from ..messages import Text
from ..redaction import strip_url_secrets
from ..service.polling import wait_limit_s
from ..service.references import PictureReference, UrlReference, read_identities
from ..service.request import Request
from ..service.validation import ValidatedRequest, validate_reference_urls, validate_request
from ..uploads.choose import select_target
from .cancellation import note_cancellation
from .registry import Listener, wait_for_job
from .resources import Resources
from .results import Result
from .runs import get_run
from .session import Session
from .sources import NewRequest


async def generate(
    request: Request,
    session: Session | None = None,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Listener | None = None,
    profile: str | None = None,
) -> Result:
    """Generate images and pay once, or return the stored images of an equal request.

    Args:
        session: an open session; by default one is opened for this call from the environment.
        wait: whether to wait for the images; if not, the result is ``submitted`` as soon as the
            task id is known.
        timeout_s: seconds to wait; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with every step, on the session's event loop.
        profile: the name of the key and address to use; by default those of the session.

    Raises:
        SeedreamError: see ``errors``; the message says whether money was spent.
        asyncio.CancelledError: the caller was cancelled; a note says what was sent. Closing the
            session waits for the response and records it.
    """
    _check_request_type(request)
    if session is None:
        async with Session() as own:
            return await generate(
                request, own, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
            )
    session.check_usable()
    resources = await session.profiles.get(profile)
    settings = resources.settings
    limit_s = wait_limit_s(timeout_s, settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    validated = validate_request(request, settings.models)
    validate_reference_urls(request.references, settings)
    with note_cancellation(lambda: Interrupted("interrupted_before")):
        spec = await build_spec(validated, resources)
    has_pictures = any(isinstance(ref, PictureReference) for ref in request.references)
    target = select_target(resources.client, validated.model) if has_pictures else None
    reservation = build_reservation(spec, settings, get_run() or session.run)
    reuse = settings.is_on("SEEDREAM_REUSE")
    source = NewRequest(spec, request, target, reuse=reuse, reservation=reservation)
    return await wait_for_job(
        session, spec.fingerprint, source, resources,
        wait=wait, timeout_s=limit_s, progress=progress,
    )  # fmt: skip


def build_reservation(spec: JobSpec, settings: Settings, run: str) -> Reservation:
    """Build what a request may spend.

    Raises:
        ConfigurationError: the price table cannot be used.
    """
    price = settings.prices.find(spec.model, spec.fields, len(spec.references))
    return Reservation(run, spec.model, price, settings.limits, settings.profile)


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


async def build_spec(validated: ValidatedRequest, resources: Resources) -> JobSpec:
    """Build the ledger's entry for a request; its fingerprint identifies equal requests.

    Raises:
        ConfigurationError: there is no key for the address.
        LedgerFailed: the ledger cannot be read.
    """
    settings, ledger = resources.settings, resources.ledger
    key, request = settings.key.get_secret_value(), validated.request
    body = request.body(validated.model, ())
    references, aliases = await ledger.identify_request(
        settings.address,
        body,
        await read_identities(request.references),
        request.seed,
    )
    return JobSpec(
        fingerprint=fingerprint(settings.address, body, references, request.seed),
        family=validated.model.family.value,
        model=validated.model.id,
        address=settings.address,
        key_fingerprint=key_fingerprint(key),
        prompt=request.prompt if settings.is_on("SEEDREAM_STORE_PROMPTS") else None,
        fields={name: value for name, value in body.items() if name != "prompt"},
        references=references,
        seed=request.seed,
        asked=request.asked_images(),
        notes=validated.notes,
        hidden=_find_withheld_texts(request, settings),
        profile=settings.profile or None,
        also=aliases,
    )


def _find_withheld_texts(request: Request, settings: Settings) -> tuple[str, ...]:
    """Find the texts of a request that neither its row nor a kept response may contain."""
    urls = (one.url for one in request.references if isinstance(one, UrlReference))
    signed = (url for url in urls if strip_url_secrets(url) != url)
    return (*signed, *(() if settings.is_on("SEEDREAM_STORE_PROMPTS") else (request.prompt,)))
