"""Upload References: pictures to URLs, for reuse in many requests; it never pays."""

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
from .given import checked_image, connected_images
from .host import runtime
from .host.encodable import raises_encodable

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.ledger.upload_cache import UploadedReference
    from ..seedream_api.service.references import PictureReference


class _Ends:
    """When the URLs that were given out come near their end: no cached run may outlive its own."""

    def __init__(self) -> None:
        self._coming: list[float] = []
        self._passed = 0

    def note(self, moment: float) -> None:
        """A run's URLs are good until ``moment``, in wall-clock seconds."""
        self._coming.append(moment)

    def passed(self) -> int:
        """How many moments have passed: it only ever grows."""
        now = time.time()
        self._passed += sum(moment <= now for moment in self._coming)
        self._coming = [moment for moment in self._coming if moment > now]
        return self._passed


_ends = _Ends()


class SeedreamUploadReferences(io.ComfyNode):
    """Brings pictures to the configured place, each only once while its URL lives."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamUploadReferences",
            display_name="Upload References",
            category=inputs.CATEGORY,
            description="Uploads pictures by the way that SEEDREAM_UPLOAD names (s3, evolink, "
            "http) and gives their URLs for image_urls. Costs nothing; a picture that is there "
            "already is not sent again while its URL lives.",
            inputs=inputs.inputs_of(
                inputs.images_input(
                    "Pictures to upload; every frame of a batch is one. Lists linked here are "
                    "uploaded in one run."
                )
            ),
            outputs=[
                inputs.text_output("urls", "The pictures' URLs in order, one a line."),
                inputs.text_output("report", "How each picture was sent and how long its URL "
                                   "lives, as JSON."),
            ],
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, **given: Any) -> Any:
        """Changes as soon as a URL that was given out comes near its end."""
        return _ends.passed()

    @classmethod
    @raises_encodable
    async def execute(cls, **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.of(cls, given)
        images = _flat(given)

        async def job(
            session: Session, tell: Callable[[Progress], None]
        ) -> tuple[list[PictureReference], list[UploadedReference]]:
            caller.sheet = await asyncio.to_thread(previews.reference_preview, images)
            return await _upload(images, session, tell)

        pictures, sent = await runtime.run(job, caller, describe)
        _note_ends(sent)
        new = sum(not one.reused for one in sent)
        caller.show(f"{new} uploaded 已上传 · {len(sent) - new} reused 已复用")
        urls = "\n".join(one.url for one in sent)
        return io.NodeOutput(
            urls, json.dumps(_report(pictures, sent, caller.notes), ensure_ascii=False)
        )


def _flat(given: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """The connected pictures, input by input: a node that takes lists gets one for each."""
    flat: list[tuple[str, torch.Tensor]] = []
    for name, arrived in connected_images(given):
        items = cast("list[Any]", arrived) if isinstance(arrived, list) else [arrived]
        for number, item in enumerate(items, start=1):
            label = name if len(items) == 1 else Text("item_number", name=name, number=number)
            flat.append((label, checked_image(name, item)))
    return flat


async def _upload(
    images: list[tuple[str, torch.Tensor]], session: Session, tell: Callable[[Progress], None]
) -> tuple[list[PictureReference], list[UploadedReference]]:
    from ..seedream_api.jobs.results import Phase, Progress
    from ..seedream_api.jobs.upload_references import upload_references

    begun = session.clock()

    def progress(done: int, total: int) -> None:
        tell(Progress(Phase.UPLOADING, session.clock() - begun, done=done, total=total))

    pictures = await references_from(images)
    return pictures, await upload_references(pictures, session, progress=progress)


def _note_ends(sent: list[UploadedReference]) -> None:
    from ..seedream_api.ledger.upload_cache import safe_until

    now = time.time()
    _ends.note(min(safe_until(one.expires_at, now) for one in sent))


def _report(
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
            "expires": _date(one.expires_at),
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


def _date(seconds: float | None) -> str | None:
    """A moment in UTC; ``None`` where the host promises nothing."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
