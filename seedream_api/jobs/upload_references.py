"""Upload reference images for reuse, without a paid request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..callbacks import call_back, check_callback
from ..errors import ConfigurationError, InvalidRequest
from ..messages import Text
from ..service.references import PictureReference, pixels_reference
from ..service.validation import validate_reference_size
from ..uploads.choose import url_target

if TYPE_CHECKING:
    from ..ledger.upload_cache import UploadedReference
    from .session_base import SessionBase


async def upload_references(
    images: Sequence[PictureReference],
    session: SessionBase,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[UploadedReference]:
    """Upload images to the configured target, several at once; keep their order.

    Images whose earlier upload is still valid are not uploaded again.

    Args:
        progress: called with the number of uploaded images and of all images.

    Raises:
        InvalidRequest: no image is given, or the service would not accept one.
        ConfigurationError: no upload target that returns URLs is configured.
        UploadFailed: an upload failed.
    """
    session.check_usable()
    check_callback(progress)
    if not images:
        raise InvalidRequest("no_images")
    for position, picture in enumerate(images, start=1):
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

    return await session.resources.uploader.upload(
        list(enumerate(images, start=1)), target, progress=report
    )


async def try_upload_target(session: SessionBase) -> UploadedReference | None:
    """Upload an image of one pixel to the configured target and fetch it again; free.

    Returns:
        The upload; ``None`` if no upload target that returns URLs is configured.

    Raises:
        ConfigurationError: the target's settings are invalid.
        UploadFailed: the upload failed, or its URL does not serve the image.
    """
    session.check_usable()
    target = url_target(session.client)
    if target is None:
        return None
    pixel = np.full((1, 1, 3), 128, np.uint8)
    return await session.resources.uploader.test_upload(
        pixels_reference(pixel, "a trial picture"), target
    )
