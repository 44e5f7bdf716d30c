"""The rows of Seedream Batch: its inputs as requests, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..seedream_api.catalog import MAX_RESULTS
from ..seedream_api.messages import Text
from . import node_values as values

if TYPE_CHECKING:
    from ..seedream_api.config.settings import Settings
    from ..seedream_api.jobs.batch_rows import BatchRow
    from ..seedream_api.service.references import Reference
    from ..seedream_api.service.request import Request


def read_batch_rows(prompts: str, model: str, given: Mapping[str, Any]) -> list[BatchRow]:
    """Read the rows of a batch, with the node's other inputs as defaults.

    Raises:
        BatchInvalid: a row has a mistake; a file is one, because a workflow must not read files.
    """
    from ..seedream_api.jobs.batch_rows import BatchInvalid, Mistake, parse_prompts

    defaults = {
        "model": values.check_text("model", model),
        "size": values.check_text("size", given.get("size")).strip(),
        "quality": values.check_text("quality", given.get("quality")).strip(),
        "seed": 0 if given.get("seed") is None else given["seed"],
    }
    count = values.widget_value(given, "n", 1, values.check_number(1, MAX_RESULTS.value))
    if count != 1:
        defaults["n"] = count
    rows = parse_prompts(
        values.check_text("prompts", prompts),
        {name: value for name, value in defaults.items() if value != ""},
    )
    files = [
        Mistake(row.number, "ref", Text("cell_not_allowed", given=ref, allowed=Text("urls_only")))
        for row in rows
        for ref in row.refs
        if not ref.lower().startswith(("http://", "https://"))
    ]
    if files:
        raise BatchInvalid(files)
    return rows


def build_requests(
    rows: Sequence[BatchRow], references: tuple[Reference, ...], settings: Settings
) -> list[Request]:
    """Build and check the request of every row; the node's references come before the row's own.

    Raises:
        BatchInvalid: a row has a value that its model does not take.
    """
    from ..seedream_api.jobs.batch import check_requests
    from ..seedream_api.jobs.batch_rows import check_rows

    built = list[Any]()

    def check(request: Request) -> None:
        whole = request.model_copy(update={"references": (*references, *request.references)})
        check_requests([whole], settings)
        built.append(whole)

    check_rows(rows, Path(), check)
    return built
