"""Names of the files that images are saved to: templates, and what every system allows."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from ..errors import InvalidRequest
from ..messages import Text, text_of
from ..redaction import plain

DEFAULT_NAME = "{prompt:.40}-{seed}-{n}"
NAME_FIELDS = ("prompt", "model", "seed", "n", "job", "task_id", "width", "height")
_MAX_BYTES = 180
"""Most file systems allow 255 bytes; a number, a suffix and a temporary mark are added."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE
)
"""Names of devices, which Windows reserves whatever follows the first dot."""


def format_file_name(template: str, values: Mapping[str, object]) -> str:
    """Fill in a template and return a safe file name without a suffix.

    Args:
        template: text with fields in braces and format codes as in ``str.format``, such as
            ``{prompt:.40}-{seed:04}-{n}``; :data:`NAME_FIELDS` lists the fields.
        values: one value per field; ``None`` becomes an empty text.

    Raises:
        InvalidRequest: a field is unknown, or a format code does not fit it.
    """
    try:
        parts = [*string.Formatter().parse(template)]
        named = "".join(
            text + ("" if field is None else _format_field(field, spec or "", conversion, values))
            for text, field, spec, conversion in parts
        )
    except (ValueError, TypeError) as error:
        raise _template_error(template, text_of(error)) from None
    return to_safe_name(named)


def _format_field(
    field: str, spec: str, conversion: str | None, values: Mapping[str, object]
) -> str:
    if field not in NAME_FIELDS or conversion or "{" in spec:
        raise ValueError(Text("no_such_field"))
    value = values.get(field)
    if value is None:
        return ""
    return format(" ".join(value.split()) if isinstance(value, str) else value, spec)


def _template_error(template: str, reason: str) -> InvalidRequest:
    return InvalidRequest(
        "value_malformed",
        field="name",
        given=template,
        reason=reason,
        allowed=", ".join(f"{{{name}}}" for name in NAME_FIELDS),
    )


def to_safe_name(text: str) -> str:
    """Turn a text into a file name that Windows, macOS and Linux allow, without a suffix."""
    name = " ".join(_FORBIDDEN.sub("_", plain(text)).split())
    name = name.encode("utf-8", "ignore")[:_MAX_BYTES].decode("utf-8", "ignore")
    # Hidden files, ends that Windows cuts off, and what a command would read as an option.
    name = name.strip(" .-")
    if _RESERVED.match(name):
        name = f"_{name}"
    return name or "seedream"
