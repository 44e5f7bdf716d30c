"""How many images a click may charge, before it is made: nothing is sent, nothing uploaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...seedream_api.catalog import MAX_RESULTS
from ...seedream_api.errors import InvalidRequest
from ...seedream_api.messages import Text
from .. import evolink, preferential
from ..given import non_blank_lines

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.service.models import Request

_REQUESTS: Mapping[str, Callable[..., Request]] = MappingProxyType(
    {
        "SeedreamEvolink": evolink.request_of,
        "SeedreamPreferential": preferential.request_of,
    }
)


async def estimate_charge(
    session: Session, class_type: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What running a generator once may charge.

    Args:
        given: its inputs as in an API prompt; a linked one is a list.

    Returns:
        ``images`` that may be charged; whether something is ``linked``, for each item of a linked
        list is charged by itself; the ``state`` of the entry that answers for these inputs, if one
        does; whether the service is the free ``sandbox``.

    Raises:
        SeedreamError: why running it would fail before anything is sent.
    """
    if class_type not in _REQUESTS:
        raise InvalidRequest(
            "panel_malformed", reason=Text("makes_no_images", kind=repr(class_type))
        )
    sandbox = session.settings.is_sandbox
    linked = {name for name, value in given.items() if isinstance(value, (list, dict))}
    if linked:
        # What is linked is known only when the graph runs.
        most = _most(given, linked)
        return {"images": most, "linked": True, "state": None, "sandbox": sandbox}
    request = _request(class_type, given)
    state = await _state(session, request)
    images = 0 if state else request.asked_images()
    return {"images": images, "linked": False, "state": state, "sandbox": sandbox}


def _most(given: Mapping[str, Any], linked: set[str]) -> int:
    if "n" in linked:
        return int(MAX_RESULTS.value)
    count = given.get("n")
    return count if isinstance(count, int) else 1


def _request(class_type: str, given: Mapping[str, Any]) -> Request:
    from ...seedream_api.service.references import UrlReference

    urls = given.get("image_urls") or ""
    prompt, model = given.get("prompt"), given.get("model")
    if not all(isinstance(text, str) for text in (urls, prompt, model)):
        raise InvalidRequest("panel_malformed", reason=Text("inputs_not_texts"))
    references = tuple(UrlReference(url) for url in non_blank_lines(urls))
    return _REQUESTS[class_type](prompt, model, given, references)


async def _state(session: Session, request: Request) -> str | None:
    from ...seedream_api.jobs.generate import build_spec
    from ...seedream_api.ledger.browsing import find_reusable
    from ...seedream_api.service.validation import validate_request

    settings, ledger = session.settings, session.ledger
    spec = await build_spec(validate_request(request, settings.models), session)
    reuse = settings.is_on("SEEDREAM_REUSE")
    row = await ledger.run(find_reusable, ledger, spec.fingerprints, reuse=reuse)
    return row.state.value if row else None
