"""The ways in which a reference image reaches the service, one small module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..catalog import Family, Model
from ..encoding import Encoded
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..client import SeedreamClient


class Way(Protocol):
    """One way to travel."""

    name: str
    shares_one_body: bool
    """Whether all references travel in the request itself and so share its size."""

    async def send(self, encoded: Encoded, position: int) -> str:
        """Bring an encoded picture to where the service can read it; gives its URL or data URI.

        Args:
            position: its place among the references, from 1, for errors.

        Raises:
            UploadFailed: it did not arrive.
        """
        ...


def choose_way(client: SeedreamClient, model: Model) -> Way:
    """The way that the settings and the model's family call for.

    Raises:
        ConfigurationError: the family takes URLs only, and no way to upload is set up.
    """
    from .inline import Inline
    from .sandbox_host import SandboxHost

    settings = client.settings
    chosen = settings.text("SEEDREAM_UPLOAD")
    if chosen == "auto" and settings.is_sandbox:
        return SandboxHost(client)
    if chosen == "inline" or model.family is Family.PREFERENTIAL:
        return Inline()
    raise ConfigurationError("no_upload_way", model=model.id)
