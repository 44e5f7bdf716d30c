"""Run a node's job: tensors in; tensors, a report and progress out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from ..seedream_api.catalog import MAX_REFERENCES
from ..seedream_api.errors import Charge, InvalidRequest
from ..seedream_api.messages import ORIGINS, PHASES, Text, bilingual, join_texts, to_chinese
from . import previews, receipts
from .host import runtime
from .node_values import check_text, collect_images, non_blank_lines
from .tensors import frame_count, to_pixels, to_tensors

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Failure, Progress, Result
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.service.references import PictureReference, Reference


@dataclass(frozen=True)
class DecodedImages:
    """The images of a result as tensors; see ``tensors.to_tensors``."""

    batch: torch.Tensor
    image_list: list[torch.Tensor]
    masks: torch.Tensor | None
    notes: list[str]
    failures: dict[int, str]
    """Why a source could not be decoded, by its index."""
    previews: list[dict[str, str]]
    """Small files for the page; see ``previews.write_previews``."""


def describe(step: Progress, call: tuple[int, int]) -> Text:
    """Describe a step in the line under the node."""
    words: list[str] = [*_describe_call(call), bilingual(*PHASES[step.phase.value])]
    if step.place:
        words.append(Text("line_place", place=step.place))
    if step.percent is not None:
        words.append(f"{step.percent:.0f} %")
    if step.total:
        words.append(f"{step.done}/{step.total}")
    words.append(f"{step.seconds:.0f} s")
    if step.task_id:
        words.append(step.task_id)
    return join_texts(words, " · ", " · ")


def _describe_call(call: tuple[int, int]) -> list[str]:
    number, count = call
    return [Text("line_call", number=number, count=count)] if count > 1 else []


def _count_images(count: int) -> Text:
    return Text("line_images_one") if count == 1 else Text("line_images", count=count)


async def collect_references(given: Mapping[str, Any]) -> tuple[Reference, ...]:
    """Collect a generator's references: connected images frame by frame, then ``image_urls``.

    Raises:
        InvalidRequest: there are too many, or one is not an image; checked before any conversion.
    """
    from ..seedream_api.service.references import UrlReference

    images = collect_images(given)
    urls = non_blank_lines(check_text("image_urls", given.get("image_urls")))
    count = sum(frame_count(image) for _, image in images) + len(urls)
    if count > MAX_REFERENCES.value:
        allowed = MAX_REFERENCES.value
        raise InvalidRequest(
            "too_many_references", given=count, model=Text("every_model"), allowed=allowed
        )
    return (*await references_from(images), *(UrlReference(url) for url in urls))


async def references_from(images: Sequence[tuple[str, torch.Tensor]]) -> list[PictureReference]:
    """Convert every frame of the named IMAGEs to a reference, in order."""
    from ..seedream_api.service.references import pixels_reference

    references: list[PictureReference] = []
    for name, image in images:
        frames = await asyncio.to_thread(to_pixels, image)
        for number, pixels in enumerate(frames, start=1):
            label = name if len(frames) == 1 else Text("frame_number", name=name, number=number)
            references.append(pixels_reference(pixels, label))
    return references


async def decode_files(
    sources: Sequence[Path],
    names: Sequence[str],
    fit: str,
    *,
    charge: Charge,
    with_previews: bool,
    with_masks: bool = False,
) -> DecodedImages:
    """Decode files in threads; a file that cannot be read becomes a failure of that image only.

    Args:
        charge: what has been paid for these files.
        with_previews: whether a page will show them on the node.

    Raises:
        ResultUnavailable: none of them can be read.
    """
    made = await asyncio.to_thread(to_tensors, sources, fit=fit, names=names, with_masks=with_masks)
    if made.images is None:
        raise made.failures[0][1].with_charge(charge)
    failures: dict[int, str] = {position: error.summary_text for position, error in made.failures}
    notes: list[str] = [
        Text("note_of", name=name, note=note)
        for name, found in zip(names, made.notes, strict=True)
        for note in found
    ]
    shown = await previews.write_previews(made.image_list) if with_previews else []
    return DecodedImages(made.images, made.image_list, made.masks, notes, failures, shown)


async def run_job(
    caller: runtime.NodeProgress,
    job: Callable[[Session, Callable[[Progress], None]], Any],
    fit: str,
    *,
    hint: Text,
    references: Sequence[tuple[str, torch.Tensor]] = (),
) -> tuple[Result, DecodedImages | None]:
    """Run a job in a session and decode its images.

    Args:
        job: returns a :class:`Result`.
        hint: what to show if there are no images yet.
        references: the connected images, shown while they are sent.
    """
    is_page = caller.viewer.is_page

    from ..seedream_api.jobs.results import Phase, Progress

    async def run_and_decode(
        session: Session, report_progress: Callable[[Progress], None]
    ) -> tuple[Result, DecodedImages | None]:
        caller.is_free = (await session.profiles.get(caller.profile)).settings.is_sandbox
        if is_page:
            caller.pictures = await previews.write_reference_sheet(references)
        report_progress(Progress(Phase.PREPARING, 0.0))
        result: Result = await job(session, report_progress)
        if not result.images:
            return result, None
        await receipts.note_receipts(caller, session, result)
        names = [
            Text("image_number", number=number) for number, _ in enumerate(result.images, start=1)
        ]
        paths = [image.path for image in result.images]
        return result, await decode_files(
            paths, names, fit, charge=Charge.MADE, with_previews=is_page, with_masks=True
        )

    result, pictures = await runtime.run(run_and_decode, caller, describe)
    line = _summarize(result, pictures, caller.call_number(), hint)
    caller.show_end(line, ui_summary(caller, result, pictures))
    return result, pictures


def node_outputs(
    caller: runtime.NodeProgress,
    result: Result,
    pictures: DecodedImages | None,
    *,
    with_task_id: bool,
) -> io.NodeOutput:
    """Build the outputs: tensors, ``urls``, ``task_id`` where the node has it, ``report``, masks.

    Without images yet, nodes that depend on them are blocked; the other outputs have values.
    """
    report = to_report(_build_report(result, pictures, caller))
    texts = ["\n".join(result.urls), *([result.task_id or ""] if with_task_id else []), report]
    ui = ui_output(ui_summary(caller, result, pictures))
    if pictures is None:
        blocker = ExecutionBlocker(None)
        return io.NodeOutput(blocker, blocker, *texts, blocker, ui=ui)
    tensors = (pictures.batch, pictures.image_list)
    return io.NodeOutput(*tensors, *texts, pictures.masks, ui=ui)


def ui_output(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Build what ComfyUI keeps for the page, also for runs that its own cache serves.

    It is a text, because *Media Assets* counts every object in a node's ``ui`` as an output.
    """
    return {"seedream": [json.dumps(summary)]}


def ui_summary(
    caller: runtime.NodeProgress, result: Result, pictures: DecodedImages | None
) -> dict[str, Any]:
    """Summarize the outcome of this call for the page."""
    return {
        "status": result.status,
        "origin": result.origin.value,
        "images": len(pictures.image_list) if pictures else 0,
        "failed": len(result.failures) + len(pictures.failures if pictures else ()),
        "charged": result.charged_images,
        "cost": result.cost.to_json(),
        "free": caller.is_free,
        "seconds": result.seconds,
        "task_id": result.task_id,
        "record": result.entry,
        "pictures": pictures.previews if pictures else [],
    }


def _summarize(
    result: Result, pictures: DecodedImages | None, call: tuple[int, int], hint: Text
) -> Text:
    words = _describe_call(call)
    if pictures is None:
        words += [hint, *([result.task_id] if result.task_id else [])]
        return join_texts(words, " · ", " · ")
    words.append(bilingual(*ORIGINS[result.origin.value]))
    words.append(_count_images(len(pictures.image_list)))
    words.append(f"{result.seconds:.0f} s")
    if failed := len(result.failures) + len(pictures.failures):
        words.append(Text("line_failed", count=failed))
    return join_texts(words, " · ", " · ")


def to_report(content: Mapping[str, Any]) -> str:
    """Format a report, which people read in a text node."""
    return json.dumps(content, ensure_ascii=False, indent=2)


def _build_report(
    result: Result, pictures: DecodedImages | None, caller: runtime.NodeProgress
) -> dict[str, Any]:
    call = caller.call_number()
    undecoded = pictures.failures if pictures else {}
    images = [
        {
            "position": image.position,
            "task_id": image.task_id,
            "status": "unreadable" if place in undecoded else "ok",
            "width": image.width,
            "height": image.height,
            "bytes": image.bytes,
            "type": image.media_type,
            **(reason_texts(undecoded[place]) if place in undecoded else {}),
        }
        for place, image in enumerate(result.images)
    ]
    failures = [_failure_json(failure) for failure in result.failures]
    notes = [*caller.notes, *result.notes, *(pictures.notes if pictures else [])]
    return {
        "status": result.status,
        "model": result.model,
        "profile": result.profile or "",
        "task_ids": (result.task_id or "").split(),
        "origin": result.origin.value,
        "reused": result.is_reused,
        "call": f"{call[0]} of {call[1]}",
        "images": images + failures,
        "asked": result.asked,
        "references": result.references,
        "may_have_been_charged_images": result.charged_images,
        "cost": result.cost.to_json(),
        "seconds": round(result.seconds, 3),
        "service_seconds": result.service_seconds,
        "record": result.entry,
        "notes": notes,
        "notes_zh": list(map(to_chinese, notes)),
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {
        "position": failure.position,
        "task_id": failure.task_id,
        "status": "failed",
        **reason_texts(failure.reason),
    }


def reason_texts(reason: str) -> dict[str, str]:
    return {"reason": reason, "reason_zh": str(to_chinese(reason))}
