"""Pictures to URLs for reuse, without a request that is paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..callbacks import call_back, check_callback
from ..errors import ConfigurationError, InvalidRequest
from ..messages import Text
from ..service.references import PictureReference, pixels_reference
from ..service.validation import validate_reference_size
from ..uploads import url_target

if TYPE_CHECKING:
    from ..ledger.upload_cache import UploadedReference
    from .session import Session


async def upload_references(
    pictures: Sequence[PictureReference],
    session: Session,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[UploadedReference]:
    """Upload pictures by the configured way, several at once; in order.

    Pictures that are there already are not uploaded again.

    Args:
        progress: told how many of how many have arrived.

    Raises:
        InvalidRequest: there is none, or the service would not take one.
        ConfigurationError: no way that gives URLs is set up.
        UploadFailed: one did not arrive.
    """
    session.check_usable()
    check_callback(progress)
    if not pictures:
        raise InvalidRequest("no_images")
    for position, picture in enumerate(pictures, start=1):
        if not isinstance(picture, PictureReference):  # pyright: ignore[reportUnnecessaryIsInstance]
            kind = type(picture).__name__
            reason = Text("picture_needed")
            raise InvalidRequest(
                "reference_unreadable", position=position, given=kind, reason=reason
            )
        validate_reference_size(position, picture.width, picture.height)
    target = url_target(session.client)
    if target is None:
        raise ConfigurationError("no_url_way")

    def report(done: int, total: int) -> None:
        call_back(progress, done, total)

    return await session.uploader.upload(
        list(enumerate(pictures, start=1)), target, progress=report
    )


async def try_upload_target(session: Session) -> UploadedReference | None:
    """Send a picture of one pixel by the configured way and fetch it back; free.

    Returns:
        What came of it; ``None`` where no way that gives URLs is configured.

    Raises:
        ConfigurationError: the way's settings cannot work.
        UploadFailed: the picture did not arrive, or its URL does not serve it.
    """
    session.check_usable()
    target = url_target(session.client)
    if target is None:
        return None
    pixel = np.full((1, 1, 3), 128, np.uint8)
    return await session.uploader.test_upload(pixels_reference(pixel, "a trial picture"), target)
