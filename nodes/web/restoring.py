"""The inputs of a recorded job, as the widgets and links of a generator node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...seedream_api.errors import InvalidRequest
from . import panel

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.records import JobRecord

_NODES = {"evolink": "SeedreamEvolink", "preferential": "SeedreamPreferential"}
_FIELDS = {
    "evolink": ("size", "quality", "n", "prompt_priority"),
    "preferential": ("size", "watermark"),
}
_URL = "url:"


async def restore_inputs(session: Session, row_id: int) -> dict[str, Any]:
    """Build the inputs that make the same request again.

    Returns:
        ``node`` (its type); ``widgets`` by name; ``missing``: how many reference images are not
        known any more, and whether the ``prompt`` is.

    Raises:
        InvalidRequest: there is no such job, or it was fetched by its task ID alone.
    """
    row = (await panel.find_job(session, row_id)).row
    if row.family not in _NODES:
        raise InvalidRequest("inputs_not_recorded", given=row_id)
    urls = [one.removeprefix(_URL) for one in row.references if one.startswith(_URL)]
    return {
        "node": _NODES[row.family],
        "widgets": {**_widgets(row, row.family), "image_urls": "\n".join(urls)},
        "images": [],
        "missing": {"references": len(row.references) - len(urls), "prompt": row.prompt is None},
    }


def _widgets(row: JobRecord, family: str) -> dict[str, Any]:
    fields = {name: row.fields[name] for name in _FIELDS[family] if name in row.fields}
    if family == "preferential":
        fields["output_format"] = row.fields.get("output_format", "auto")
    return {"prompt": row.prompt or "", "model": row.model, **fields, "seed": row.seed}
