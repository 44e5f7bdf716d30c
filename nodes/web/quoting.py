"""Estimate how many images a run may charge; nothing is sent or uploaded for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...seedream_api.catalog import MAX_RESULTS
from ...seedream_api.errors import InvalidRequest
from ...seedream_api.messages import Text, to_chinese
from .. import evolink, preferential
from ..batch_rows import build_requests, read_batch_rows
from ..node_values import check_number, check_text, non_blank_lines, widget_value
from .cost_estimates import estimate_batch_cost, estimate_cost, find_highest_price
from .linked_images import read_linked_images

if TYPE_CHECKING:
    from ...seedream_api.catalog import Model
    from ...seedream_api.config.prices import Price
    from ...seedream_api.config.settings import Settings
    from ...seedream_api.jobs.batch import BatchPlan
    from ...seedream_api.jobs.resources import Resources
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.service.references import Reference
    from ...seedream_api.service.request import Request
    from ...seedream_api.service.validation import ValidatedRequest

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
        ``estimated`` is the most that it may be; the message of the ``limit`` that would refuse it;
        ``notes`` in both languages on what a new request would ask for, if there are any.

    Raises:
        SeedreamError: why running it would fail before anything is sent.
    """
    if class_type not in (*_REQUESTS, _BATCH):
        raise InvalidRequest(
            "panel_malformed", reason=Text("makes_no_images", kind=repr(class_type))
        )
    profile = given.get("profile")
    resources = await session.profiles.get(profile if isinstance(profile, str) else None)
    given, references = await read_linked_images(given)
    linked = {name for name, value in given.items() if isinstance(value, (list, dict))}
    if class_type == _BATCH and not linked & {"prompts", "model"}:
        return await _estimate_batch(session, resources, given, linked, references)
    if linked:
        return await _estimate_linked(resources, given, linked, len(references))
    models = resources.settings.models
    request = _build_request(class_type, given, models, references)
    return await _estimate_request(resources, request)


async def _estimate_batch(
    session: Session,
    resources: Resources,
    given: Mapping[str, Any],
    linked: set[str],
    references: tuple[Reference, ...],
) -> dict[str, Any]:
    plan = await _plan_batch(session, resources, given, linked, references)
    # The states of the known rows matter only if none is sent.
    state = None if plan.images else next(iter(plan.known)).value
    return {
        **_describe(resources, plan.images, state, linked=bool(linked)),
        **await estimate_batch_cost(resources, plan),
    }


async def _estimate_linked(
    resources: Resources, given: Mapping[str, Any], linked: set[str], references: int
) -> dict[str, Any]:
    """Estimate the most that one item may cost: links have values only when the workflow runs."""
    _check_settings(resources, given, linked)
    most = _count_images(given, linked)
    price = find_highest_price(given, linked, references, resources.settings)
    return {
        **_describe(resources, most, None, linked=True),
        **await estimate_cost(resources, str(given.get("model")), price, most),
    }


async def _estimate_request(resources: Resources, request: Request) -> dict[str, Any]:
    from ...seedream_api.service.validation import validate_request

    validated = validate_request(request, resources.settings.models)
    state, price = await _find_state(resources, validated)
    images = 0 if state else validated.request.asked_images()
    estimate = {
        **_describe(resources, images, state, linked=False),
        **await estimate_cost(resources, validated.model.id, price, images),
    }
    notes = () if state else validated.notes
    if notes:
        estimate["notes"] = {"en": list(notes), "zh": list(map(to_chinese, notes))}
    return estimate


def _describe(
    resources: Resources, images: int, state: str | None, *, linked: bool
) -> dict[str, Any]:
    sandbox = resources.settings.is_sandbox
    return {"images": images, "linked": linked, "state": state, "sandbox": sandbox}


def _check_settings(resources: Resources, given: Mapping[str, Any], linked: set[str]) -> None:
    """Check what a run needs whatever its links bring.

    Raises:
        ConfigurationError: there is no key; or reference images are connected, and the model's
            family needs an upload target that is not configured.
    """
    from ...seedream_api.uploads.choose import select_target

    settings = resources.settings
    _ = settings.key
    model = settings.models.get(str(given.get("model")))
    if model is not None and any(name.startswith("images") for name in linked):
        select_target(resources.client, model)


async def _plan_batch(
    session: Session,
    resources: Resources,
    given: Mapping[str, Any],
    linked: set[str],
    pictures: tuple[Reference, ...],
) -> BatchPlan:
    """Plan a batch; with linked inputs as if no row were stored."""
    from ...seedream_api.jobs.batch import plan_batch
    from ...seedream_api.service.references import UrlReference

    constants = {name: value for name, value in given.items() if name not in linked}
    prompts, model = constants.get("prompts"), constants.get("model")
    rows = read_batch_rows(prompts, model, constants)  # type: ignore[arg-type] # both are checked
    urls = non_blank_lines(check_text("image_urls", constants.get("image_urls")))
    references = (*pictures, *(UrlReference(url) for url in urls))
    requests = build_requests(rows, references, resources.settings)
    if linked:
        return _plan_unseen(requests, given, linked, resources.settings)
    return await plan_batch(requests, session, profile=constants.get("profile"))


def _plan_unseen(
    requests: Sequence[Request], given: Mapping[str, Any], linked: set[str], settings: Settings
) -> BatchPlan:
    """Plan requests whose linked inputs have no values yet."""
    from ...seedream_api.jobs.batch import BatchPlan
    from ...seedream_api.ledger.costs import Cost, estimate, sum_costs

    most = _count_most(given, linked)
    images, costs, unpriced = 0, list[Cost](), set[str]()
    for request in requests:
        takes_count = "n" in settings.models[request.model].fields
        count = request.n or (most if takes_count else 1)
        # A row need not have a tier, so its price is that of the most expensive one.
        any_tier = linked | {"quality"}
        inputs = {"model": request.model}
        price = find_highest_price(inputs, any_tier, len(request.references), settings)
        images += count
        costs.append(estimate(price, count))
        unpriced |= set() if price else {request.model}
    return BatchPlan(len(requests), {}, images, sum_costs(costs), frozenset(unpriced))


def _count_images(given: Mapping[str, Any], linked: set[str]) -> int:
    """Count the images of one item; a batch with known prompts has more than one row."""
    most = _count_most(given, linked)
    if not isinstance(given.get("prompts"), str):
        return most
    constants = {name: value for name, value in given.items() if name not in linked}
    rows = read_batch_rows(given["prompts"], "linked", constants)  # no model is read here
    return sum(max(1, int(row.fields.get("n", most))) for row in rows)


def _count_most(given: Mapping[str, Any], linked: set[str]) -> int:
    """Return the most images that one request of the node may make.

    Raises:
        InvalidRequest: the number that the node has is not allowed.
    """
    if "n" in linked:
        return int(MAX_RESULTS.value)
    return int(widget_value(given, "n", 1, check_number(1, MAX_RESULTS.value)))


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


async def _find_state(
    resources: Resources, validated: ValidatedRequest
) -> tuple[str | None, Price | None]:
    """Find the state of the job that a request would reuse, and the request's price."""
    from ...seedream_api.jobs.generate import build_spec

    settings, ledger = resources.settings, resources.ledger
    spec = await build_spec(validated, resources)
    reuse = settings.is_on("SEEDREAM_REUSE")
    row = await ledger.find_reusable(spec.fingerprints, reuse=reuse)
    price = settings.prices.find(spec.model, spec.fields, len(spec.references))
    return row.state.value if row else None, price
