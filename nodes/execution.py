"""Tensors in, the road, tensors and a report out: what all nodes share."""

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
from ..seedream_api.messages import ORIGINS, PHASES, Text, to_chinese
from . import previews
from .given import images_of, non_blank_lines, text_of
from .host import runtime
from .tensors import frame_count, to_pixels, to_tensors

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Failure, Progress, Result
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.service.references import PictureReference, Reference


@dataclass(frozen=True)
class DecodedImages:
    """A result as tensors: see ``tensors.to_tensors``."""

    batch: torch.Tensor
    image_list: list[torch.Tensor]
    masks: torch.Tensor | None
    notes: list[str]
    failures: dict[int, str]
    """By place in the list of sources: why one could not be decoded."""
    shown: list[dict[str, str]]
    """Small files for the node; see ``previews.shown``."""


def describe(step: Progress, call: tuple[int, int]) -> str:
    """A step as the line under the node."""
    words = [" ".join(PHASES[step.phase.value])]
    if step.percent is not None:
        words.append(f"{step.percent:.0f} %")
    if step.total:
        words.append(f"{step.done}/{step.total}")
    words.append(f"{step.seconds:.0f} s")
    if step.task_id:
        words.append(step.task_id)
    return " · ".join([*_call_words(call), *words])


def _call_words(call: tuple[int, int]) -> list[str]:
    number, count = call
    return [f"call {number} of {count} 第 {number} 次，共 {count} 次"] if count > 1 else []


async def references_of(given: Mapping[str, Any]) -> tuple[Reference, ...]:
    """The references of a generator: connected images frame by frame, then ``image_urls``.

    Raises:
        InvalidRequest: there are too many, or one is none; checked before any is converted.
    """
    from ..seedream_api.service.references import UrlReference

    images = images_of(given)
    urls = non_blank_lines(text_of("image_urls", given.get("image_urls")))
    count = sum(frame_count(image) for _, image in images) + len(urls)
    if count > MAX_REFERENCES.value:
        raise InvalidRequest("too_many_references", given=count, allowed=MAX_REFERENCES.value)
    return (*await references_from(images), *(UrlReference(url) for url in urls))


async def references_from(images: Sequence[tuple[str, torch.Tensor]]) -> list[PictureReference]:
    """Every frame of the named IMAGEs as a reference, in order."""
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
    with_masks: bool = False,
) -> DecodedImages:
    """Decode in threads; images that cannot be read are failures, not an end.

    Args:
        charge: what was paid for these files by now.

    Raises:
        ResultUnavailable: not one can be read.
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
    shown = await previews.shown(made.image_list)
    return DecodedImages(made.images, made.image_list, made.masks, notes, failures, shown)


async def run_job(
    caller: runtime.NodeProgress,
    job: Callable[[Session, Callable[[Progress], None]], Any],
    fit: str,
    *,
    hint: str,
    references: Sequence[tuple[str, torch.Tensor]] = (),
) -> tuple[Result, DecodedImages | None]:
    """Walk the road and decode what it brought.

    Args:
        job: gives a :class:`Result`.
        hint: what to show on the node where there are no images yet.
        references: the connected images, to be shown while they are sent.
    """

    async def walk(
        session: Session, tell: Callable[[Progress], None]
    ) -> tuple[Result, DecodedImages | None]:
        caller.sheet = await asyncio.to_thread(previews.reference_preview, references)
        result: Result = await job(session, tell)
        if not result.images:
            return result, None
        names = [
            Text("image_number", number=number) for number, _ in enumerate(result.images, start=1)
        ]
        paths = [image.path for image in result.images]
        return result, await decode_files(paths, names, fit, charge=Charge.MADE)

    result, pictures = await runtime.run(walk, caller, describe)
    caller.show(_summary(result, pictures, caller.call_of_calls(), hint))
    return result, pictures


def node_outputs(
    caller: runtime.NodeProgress,
    result: Result,
    pictures: DecodedImages | None,
    *,
    with_task_id: bool,
) -> io.NodeOutput:
    """``images``, ``image_list``, ``urls``, ``task_id`` where the node has one, ``report``.

    Where there are no images yet, what hangs on them is blocked; the rest has its value.
    """
    report = json.dumps(_report(result, pictures, caller), ensure_ascii=False)
    texts = ["\n".join(result.urls), *([result.task_id or ""] if with_task_id else []), report]
    told: dict[str, Any] = {"seedream": [ui_summary(result)]}
    if pictures is None:
        blocker = ExecutionBlocker(None)
        return io.NodeOutput(blocker, blocker, *texts, ui=told)
    return io.NodeOutput(
        pictures.batch, pictures.image_list, *texts, ui={"images": pictures.shown, **told}
    )


def ui_summary(result: Result) -> dict[str, Any]:
    """What the line on the node says of the last run; newer frontends take the status away."""
    return {
        "status": result.status,
        "origin": result.origin.value,
        "images": len(result.images),
        "may_have_been_charged_images": result.charged_images,
    }


def _summary(
    result: Result, pictures: DecodedImages | None, call: tuple[int, int], hint: str
) -> str:
    words = _call_words(call)
    if pictures is None:
        return " · ".join([*words, hint.format(task_id=result.task_id)])
    words.append(" ".join(ORIGINS[result.origin.value]))
    failed = len(result.failures) + len(pictures.failures)
    count = len(pictures.image_list)
    words.append(f"{count} image(s) {count} 张图 · {result.seconds:.0f} s")
    if failed:
        words.append(f"{failed} failed, see report {failed} 张失败，详见报告")
    return " · ".join(words)


def _report(
    result: Result, pictures: DecodedImages | None, caller: runtime.NodeProgress
) -> dict[str, Any]:
    call = caller.call_of_calls()
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
    failures = [_failure(failure) for failure in result.failures]
    notes = [*caller.notes, *result.notes, *(pictures.notes if pictures else [])]
    return {
        "status": result.status,
        "model": result.model,
        "task_ids": (result.task_id or "").split(),
        "origin": result.origin.value,
        "reused": result.is_reused,
        "call": f"{call[0]} of {call[1]}",
        "images": images + failures,
        "asked": result.asked,
        "references": result.references,
        "may_have_been_charged_images": result.charged_images,
        "seconds": round(result.seconds, 3),
        "service_seconds": result.service_seconds,
        "record": result.entry,
        "notes": notes,
        "notes_zh": list(map(to_chinese, notes)),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "position": failure.position,
        "task_id": failure.task_id,
        "status": "failed",
        **reason_texts(failure.reason),
    }


def reason_texts(reason: str) -> dict[str, str]:
    return {"reason": reason, "reason_zh": str(to_chinese(reason))}
