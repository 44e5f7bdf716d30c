"""Ask the service which models it offers to this key; free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..errors import ReadFailed
from ..messages import Text
from .free_requests import ask_free
from .stated_errors import parse_error

if TYPE_CHECKING:
    from .client import SeedreamClient

MODELS_PATH = "/v1/models"


async def list_offered_models(client: SeedreamClient) -> tuple[str, ...] | None:
    """Return the names of the models that the service lists; ``None`` if there is no such path.

    Raises:
        ApiRefused: the service refused the key.
        ReadFailed: there was no usable response.
        NotSent: the service could not be reached.
    """
    response = await ask_free(client, MODELS_PATH)
    if response.status == 404:
        return None
    if response.status == 200 and parse_error(response.body) is None:
        return _read_names(response.body)
    status = response.status
    raise response.refusal or ReadFailed("read_failed", reason=Text("http_status", status=status))


def _read_names(body: dict[str, Any]) -> tuple[str, ...]:
    listed = body.get("data")
    if not isinstance(listed, list):
        return ()
    names = (
        cast("dict[str, Any]", one).get("id")
        for one in cast("list[Any]", listed)
        if isinstance(one, dict)
    )
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
