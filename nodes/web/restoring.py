"""The inputs of a recorded job as the widgets and links of a node."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...seedream_api.catalog import Family
from ...seedream_api.errors import ConfigurationError
from .copies import copy_for_load_image
from .panel import find_job

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.inputs import JobInputs
    from ...seedream_api.ledger.records import JobRecord

_CLASSES: Mapping[str | None, str] = MappingProxyType({
    Family.PREFERENTIAL.value: "SeedreamPreferential",
    Family.EVOLINK.value: "SeedreamEvolink",
})  # fmt: skip


async def restore_inputs(session: Session, row_id: int) -> dict[str, Any]:
    """Build what a browser needs to put a job's inputs on the canvas.

    Reference images that the store has are copied to ComfyUI's input folder.

    Returns:
        ``class_type`` of the node and its ``inputs`` by widget; ``references`` in order, each with
        the ``file`` for Load Image, the ``url``, or neither if the image is lost; ``is_exact``:
        whether the node then has the stored result.

    Raises:
        InvalidRequest: there is no job with this number, or a file cannot be copied.
    """
    await find_job(session, row_id)
    shared = session.resources.shared
    if shared is not None:
        await shared.restore_references(row_id)
    inputs = await session.ledger.read_inputs(row_id)
    references = [
        {
            "file": None
            if one.path is None
            else await copy_for_load_image(one.path, one.path.stem),
            "url": one.url,
            "width": one.width,
            "height": one.height,
            "is_exact": one.is_exact,
        }
        for one in inputs.references
    ]
    row = inputs.row
    class_type = _CLASSES.get(row.family, "SeedreamPollTask")
    is_poll = class_type == "SeedreamPollTask"
    return {
        "class_type": class_type,
        "inputs": {
            **({"task_id": row.task_id or ""} if is_poll else _widgets(inputs)),
            "profile": row.profile or "",
        },
        "references": references,
        "is_exact": (inputs.is_exact or (is_poll and row.task_id is not None))
        and _has_address(session, row),
    }


def _has_address(session: Session, row: JobRecord) -> bool:
    """Tell whether the row's profile has the row's address; another one has no stored result."""
    try:
        return session.settings.for_profile(row.profile or "").address == row.address
    except ConfigurationError:
        return False


def _widgets(inputs: JobInputs) -> dict[str, Any]:
    """Build the values of a generator's widgets; a prompt that was not stored is missing."""
    urls = [one.url for one in inputs.references if one.url is not None]
    values: dict[str, Any] = {**inputs.fields, "seed": inputs.row.seed}
    if inputs.row.family == Family.PREFERENTIAL.value:
        values.setdefault("output_format", "auto")
    if inputs.prompt is not None:
        values["prompt"] = inputs.prompt
    return {**values, "image_urls": "\n".join(urls)}
