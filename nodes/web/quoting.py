"""Estimate how many images a run may charge; nothing is sent or uploaded for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...seedream_api.catalog import MAX_REFERENCES, MAX_RESULTS
from ...seedream_api.errors import InvalidRequest
from ...seedream_api.messages import Text
from .. import evolink, preferential
from ..batch_rows import build_requests, read_batch_rows
from ..node_values import check_text, non_blank_lines
from .linked_images import read_linked_images
from .settings import error_json

if TYPE_CHECKING:
    from ...seedream_api.catalog import Model
    from ...seedream_api.config.prices import Price
    from ...seedream_api.config.settings import Settings
    from ...seedream_api.jobs.resources import Resources
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.service.references import Reference
    from ...seedream_api.service.request import Request

_REQUESTS: Mapping[str, Callable[..., Request]] = MappingProxyType(
    {
        "SeedreamEvolink": evolink.build_request,
        "SeedreamPreferential": preferential.build_request,
    }
)
_BATCH = "SeedreamBatch"


async def estimate_charge(
    session: Session, class_type: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Estimate what one run of a generator may charge.

    Args:
        given: its inputs as in an API prompt; a linked one is a list, or a Load Image's file as
            ``linked_images.py`` says.

    Returns:
        ``images`` that may be charged; whether an input is ``linked``, because each item of a
        linked list is charged separately; the ``state`` of the job that these inputs would reuse,
        if there is one; whether the service is the free ``sandbox``; the ``cost``, of which
        ``estimated`` is the most that it may be; the message of the ``limit`` that would refuse it.

    Raises:
        SeedreamError: why running it would fail before anything is sent.
    """
    if class_type not in (*_REQUESTS, _BATCH):
        raise InvalidRequest(
            "panel_malformed", reason=Text("makes_no_images", kind=repr(class_type))
        )
    profile = given.get("profile")
    resources = await session.profiles.get(profile if isinstance(profile, str) else None)
    sandbox = resources.settings.is_sandbox
    given, references = await read_linked_images(given)
    linked = {name for name, value in given.items() if isinstance(value, (list, dict))}
    if class_type == _BATCH and "prompts" not in linked:
        images, state = await _estimate_batch(session, given, linked, references)
        return {"images": images, "linked": bool(linked), "state": state, "sandbox": sandbox}
    if linked:
        # The values of links are known only when the workflow runs.
        most = _count_most(given, linked)
        price = _find_highest_price(given, linked, len(references), resources.settings)
        return {
            **{"images": most, "linked": True, "state": None, "sandbox": sandbox},
            **await _estimate_cost(resources, str(given.get("model")), price, most),
        }
    request = _build_request(class_type, given, session.settings.models, references)
    state, price = await _find_state(resources, request)
    images = 0 if state else request.asked_images()
    return {
        **{"images": images, "linked": False, "state": state, "sandbox": sandbox},
        **await _estimate_cost(resources, request.model, price, images),
    }


async def _estimate_cost(
    resources: Resources, model: str, price: Price | None, images: int
) -> dict[str, Any]:
    """Estimate the cost of at most so many images, and whether a limit would refuse them."""
    from ...seedream_api.errors import LimitReached
    from ...seedream_api.ledger.costs import NO_COST, Cost
    from ...seedream_api.ledger.limits import Reservation

    if not images:
        return {"cost": NO_COST.to_json(), "limit": None}
    cost = Cost(price.of(images), None, price.currency) if price else Cost()
    settings = resources.settings
    reservation = Reservation("", model, price, settings.limits, settings.profile)
    try:
        await resources.ledger.check_limits(
            reservation, images, sandbox=settings.is_built_in_sandbox
        )
    except LimitReached as error:
        return {"cost": cost.to_json(), "limit": error_json(error)}
    return {"cost": cost.to_json(), "limit": None}


def _find_highest_price(
    given: Mapping[str, Any], linked: set[str], count: int, settings: Settings
) -> Price | None:
    """Find the highest price that a request with linked inputs may have; ``None`` if unknown.

    A connected image may be a batch, each frame of which is a reference.

    Args:
        count: of the reference images that are known.
    """
    model = given.get("model")
    if not isinstance(model, str) or "model" in linked:
        return None
    urls = given.get("image_urls")
    count += len(non_blank_lines(urls)) if isinstance(urls, str) else 0
    has_links = any(name.startswith("image") for name in linked)
    references = MAX_REFERENCES.value if has_links else count
    if linked & {"quality", "size"}:
        return settings.prices.find_highest(model, references)
    return settings.prices.find(model, given, references)


async def _estimate_batch(
    session: Session,
    given: Mapping[str, Any],
    linked: set[str],
    pictures: tuple[Reference, ...],
) -> tuple[int, str | None]:
    """Estimate the images of a batch, and the state of its rows if none is to be sent."""
    from ...seedream_api.jobs.batch import plan_batch
    from ...seedream_api.service.references import UrlReference

    constants = {name: value for name, value in given.items() if name not in linked}
    prompts, model = constants.get("prompts"), constants.get("model")
    rows = read_batch_rows(prompts, model, constants)  # type: ignore[arg-type] # both are checked
    if linked:
        return sum(row.fields.get("n", 1) for row in rows), None
    urls = non_blank_lines(check_text("image_urls", constants.get("image_urls")))
    references = (*pictures, *(UrlReference(url) for url in urls))
    requests = build_requests(rows, references, session)
    plan = await plan_batch(requests, session, profile=constants.get("profile"))
    return plan.images, None if plan.images else next(iter(plan.known)).value


def _count_most(given: Mapping[str, Any], linked: set[str]) -> int:
    if "n" in linked:
        return int(MAX_RESULTS.value)
    count = given.get("n")
    return count if isinstance(count, int) else 1


def _build_request(
    class_type: str,
    given: Mapping[str, Any],
    models: Mapping[str, Model],
    loaded: tuple[Reference, ...],
) -> Request:
    from ...seedream_api.service.references import UrlReference

    urls = given.get("image_urls") or ""
    prompt, model = given.get("prompt"), given.get("model")
    if not all(isinstance(text, str) for text in (urls, prompt, model)):
        raise InvalidRequest("panel_malformed", reason=Text("inputs_not_texts"))
    references = (*loaded, *(UrlReference(url) for url in non_blank_lines(urls)))
    return _REQUESTS[class_type](prompt, model, given, references, models)


async def _find_state(resources: Resources, request: Request) -> tuple[str | None, Price | None]:
    """Find the state of the job that a request would reuse, and the request's price."""
    from ...seedream_api.jobs.generate import build_spec
    from ...seedream_api.service.validation import validate_request

    settings, ledger = resources.settings, resources.ledger
    spec = await build_spec(validate_request(request, settings.models), resources)
    reuse = settings.is_on("SEEDREAM_REUSE")
    row = await ledger.find_reusable(spec.fingerprints, reuse=reuse)
    price = settings.prices.find(spec.model, spec.fields, len(spec.references))
    return row.state.value if row else None, price
