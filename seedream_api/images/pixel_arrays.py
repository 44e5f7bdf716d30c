"""Convert pixels in any usual form to uint8 RGB and alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InvalidRequest
from ..messages import Text, text_of

_ALLOWED = Text("pixel_forms")


def to_rgb(given: Any, name: object) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Convert pixels to uint8 ``[H, W, 3]``, and ``[H, W]`` alpha where there is any.

    Raises:
        InvalidRequest: they have no such form.
    """
    try:
        array = _from_pil(given) if isinstance(given, Image.Image) else np.asarray(given)
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        raise _refusal(name, text_of(error)) from None
    if array.ndim == 4 and array.shape[0] == 1:  # a batch of one
        array = array[0]
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise _refusal(name, Text("array_shape", shape=list(array.shape)))
    values = _to_uint8(array, name)
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2), None
    if values.shape[2] == 3:
        return values, None
    return np.ascontiguousarray(values[:, :, :3]), np.ascontiguousarray(values[:, :, 3])


def _from_pil(image: Image.Image) -> NDArray[Any]:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):
        raise ValueError(Text("mode_without_range", mode=image.mode))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _to_uint8(array: NDArray[Any], name: object) -> NDArray[np.uint8]:
    kind = array.dtype
    if kind == np.uint8:
        return array
    if kind == np.uint16:
        return ((array.astype(np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
    if kind == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(kind, np.number) or np.issubdtype(kind, np.complexfloating):
        raise _refusal(name, Text("array_type", type=kind))
    low, high = float(array.min()), float(array.max())
    is_float = np.issubdtype(kind, np.floating)
    if not (low >= 0 and high <= (1 if is_float else 255)):  # NaN too
        raise _refusal(name, Text("array_range", low=f"{low:g}", high=f"{high:g}"))
    return np.rint(array * 255).astype(np.uint8) if is_float else array.astype(np.uint8)


def _refusal(name: object, reason: str) -> InvalidRequest:
    return InvalidRequest(
        "value_malformed", field="pixels", given=str(name), reason=reason, allowed=_ALLOWED
    )
