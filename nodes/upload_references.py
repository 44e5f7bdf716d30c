"""Upload References: upload images once and reuse their URLs in many requests; it never pays."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

import torch
from comfy_api.latest import io

from ..seedream_api.messages import Text, to_chinese
from . import inputs, previews
from .execution import describe, references_from
from .host import runtime
from .host.encodable import with_encodable_errors
from .node_values import check_image, find_connected_images

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.ledger.upload_cache import UploadedReference
    from ..seedream_api.service.references import PictureReference


class _Expirations:
    """When the URLs of former runs expire: ComfyUI must not reuse a run beyond that."""

    def __init__(self) -> None:
        self._coming: list[float] = []
        self._passed = 0

    def note(self, moment: float) -> None:
        """Note that a run's URLs are safe to use until ``moment``, in wall-clock seconds."""
        self._coming.append(moment)

    def count_passed(self) -> int:
        """Count the moments that have passed; the count only grows."""
        now = time.time()
        self._passed += sum(moment <= now for moment in self._coming)
        self._coming = [moment for moment in self._coming if moment > now]
        return self._passed


_expirations = _Expirations()


class SeedreamUploadReferences(io.ComfyNode):
    """Uploads images to the configured target, each only once while its URL is valid."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamUploadReferences",
            display_name="Upload References",
            category=inputs.CATEGORY,
            description="Uploads images to the upload target that SEEDREAM_UPLOAD selects (s3, "
            "evolink, http) and returns their URLs for image_urls. Costs nothing; an image that "
            "is already uploaded is not sent again while its URL is valid.",
            inputs=inputs.flatten(
                inputs.images_input(
                    "Images to upload; every frame of a batch is one. A connected list is uploaded "
                    "in one run."
                )
            ),
            outputs=[
                inputs.text_output("urls", "The URLs of the images in order, one per line."),
                inputs.text_output("report", "How each image was sent and how long its URL "
                                   "is valid, as JSON."),
            ],
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, **given: Any) -> Any:
        """Change as soon as the URL of a former run is about to expire."""
        return _expirations.count_passed()

    @classmethod
    @with_encodable_errors
    async def execute(cls, **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.from_node(cls, given)
        images = _flatten(given)

        async def job(
            session: Session, report_progress: Callable[[Progress], None]
        ) -> tuple[list[PictureReference], list[UploadedReference]]:
            caller.preview = await asyncio.to_thread(previews.reference_preview, images)
            return await _upload(images, session, report_progress)

        pictures, sent = await runtime.run(job, caller, describe)
        _note_expiration(sent)
        new = sum(not one.reused for one in sent)
        caller.show(f"{new} uploaded 已上传 · {len(sent) - new} reused 已复用")
        urls = "\n".join(one.url for one in sent)
        return io.NodeOutput(
            urls, json.dumps(_build_report(pictures, sent, caller.notes), ensure_ascii=False)
        )


def _flatten(given: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """Flatten the connected images: a node that takes lists gets one list per input."""
    flat: list[tuple[str, torch.Tensor]] = []
    for name, arrived in find_connected_images(given):
        items = cast("list[Any]", arrived) if isinstance(arrived, list) else [arrived]
        for number, item in enumerate(items, start=1):
            label = name if len(items) == 1 else Text("item_number", name=name, number=number)
            flat.append((label, check_image(name, item)))
    return flat


async def _upload(
    images: list[tuple[str, torch.Tensor]],
    session: Session,
    report_progress: Callable[[Progress], None],
) -> tuple[list[PictureReference], list[UploadedReference]]:
    from ..seedream_api.jobs.results import Phase, Progress
    from ..seedream_api.jobs.upload_references import upload_references

    clock = session.resources.clock
    begun = clock.monotonic()

    def progress(done: int, total: int) -> None:
        seconds = clock.monotonic() - begun
        report_progress(Progress(Phase.UPLOADING, seconds, done=done, total=total))

    pictures = await references_from(images)
    return pictures, await upload_references(pictures, session, progress=progress)


def _note_expiration(sent: list[UploadedReference]) -> None:
    from ..seedream_api.ledger.upload_cache import safe_until

    now = time.time()
    _expirations.note(min(safe_until(one.expires_at, now) for one in sent))


def _build_report(
    pictures: list[PictureReference], sent: list[UploadedReference], prompt_notes: tuple[str, ...]
) -> dict[str, Any]:
    images = [
        {
            "name": picture.name,
            "way": one.target,
            "width": one.width,
            "height": one.height,
            "bytes": one.bytes,
            "type": one.media_type,
            "lossless": one.lossless,
            "reused": one.reused,
            "expires": _format_date(one.expires_at),
        }
        for picture, one in zip(pictures, sent, strict=True)
    ]
    notes = list(prompt_notes)
    notes += [
        Text("note_of", name=picture.name, note=note)
        for picture, one in zip(pictures, sent, strict=True)
        for note in (*picture.notes, *one.notes)
    ]
    return {"images": images, "notes": notes, "notes_zh": list(map(to_chinese, notes))}


def _format_date(seconds: float | None) -> str | None:
    """Format a moment in UTC; ``None`` if the host promises no lifetime."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
