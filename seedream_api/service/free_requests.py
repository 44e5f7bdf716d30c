"""Ask the relay about the account, with the key; free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .refusals import classify_rejection

if TYPE_CHECKING:
    from ..errors import SeedreamError
    from ..network.transport import HttpResponse
    from .client import SeedreamClient


@dataclass(frozen=True)
class FreeResponse:
    """A response to a free request.

    Args:
        body: the JSON object; what else was sent is its ``message``.
        refusal: why the service refused the request, if it did.
    """

    status: int
    body: dict[str, Any]
    refusal: SeedreamError | None


async def ask_free(client: SeedreamClient, path: str) -> FreeResponse:
    """Send a free GET request to a path of the service.

    Raises:
        ReadFailed: there was no usable response.
        NotSent: the service could not be reached.
    """
    response = await client.transport.ask(f"{client.base_url}{path}", headers=client.headers())
    body = _parse_body(response)
    refusal = classify_rejection(
        response.status,
        body,
        request_id=response.request_id,
        secrets=(client.settings.key.get_secret_value(),),
    )
    return FreeResponse(response.status, body, refusal)


def _parse_body(response: HttpResponse) -> dict[str, Any]:
    try:
        body: Any = response.json()
    except ValueError:
        return {"message": response.body[:200].decode("utf-8", "replace")}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
