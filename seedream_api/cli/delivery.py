"""Copy the images of a result out of the store, and say what became of the request."""

from __future__ import annotations

import argparse
import asyncio

from ..errors import Charge, LedgerFailed
from ..images.saving import save_into_folder
from ..jobs.results import Result
from ..messages import Text, localize
from .output import Outcome, Verbatim
from .payloads import build_result_payload

_EXIT_CODES = {"completed": 0, "partial": 0, "submitted": 0, "pending": 5}


async def deliver(result: Result, arguments: argparse.Namespace) -> Outcome:
    """Copy a result's images into ``--out``, named by ``--name``.

    Raises:
        InvalidRequest: the template of the names has an unknown field.
        LedgerFailed: the folder cannot be written; the images stay in the store.
    """
    out, template = arguments.out, getattr(arguments, "name", None)

    def copy_all() -> list[str]:
        return [
            str(
                image.save(out, template)
                if template
                else save_into_folder(image.path, out, f"seedream-{result.entry}-{number}")
            )
            for number, image in enumerate(result.images, start=1)
        ]

    try:
        paths = await asyncio.to_thread(copy_all)
    except LedgerFailed as error:
        is_charged = not result.is_reused and result.charged_images > 0
        charge = Charge.MADE if is_charged else Charge.NONE
        raise error.with_charge(charge, result.task_id) from None
    lines: list[str] = [Verbatim(path) for path in paths]
    if result.status in ("submitted", "pending"):
        lines.append(localize(Text("task_runs", task_id=result.task_id)))
    lines += [localize(Text("failed_line", reason=failure.reason)) for failure in result.failures]
    notes = [localize(Text("note_line", note=note)) for note in result.notes]
    if result.is_reused:
        notes.insert(0, localize(Text("stored_result")))
    payload = build_result_payload(result, paths)
    return Outcome(payload, lines, _EXIT_CODES[result.status], notes)
