"""Load URL Images: pictures by address, within bounds, as a batch and as a list."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.errors import Charge, InvalidRequest, SeedreamError
from ..seedream_api.wording import chinese
from . import inputs, runtime
from .results import Pictures, describe, pictures_of

if TYPE_CHECKING:
    from ..seedream_api.loading import Loaded
    from ..seedream_api.results import Progress
    from ..seedream_api.session import Session

ON_ERROR = ("fail", "skip")

_loaded_whole: OrderedDict[str, None] = OrderedDict()
"""Lists of which every address was loaded: with skip, only these may be cached."""
_REMEMBERED_LISTS = 256


class SeedreamLoadURLImages(io.ComfyNode):
    """Fetches pictures; addresses inside private networks are refused."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamLoadURLImages",
            display_name="Load URL Images",
            category=inputs.CATEGORY,
            description="Loads pictures from http and https addresses and data URIs. Results that "
            "the record already holds are read from disk, even when their link is dead.",
            inputs=inputs.inputs_of(
                io.String.Input(
                    "urls",
                    multiline=True,
                    tooltip="One address a line; commas may be part of one. Lists linked here are "
                    "loaded in one run.",
                ),
                io.Combo.Input(
                    "on_error",
                    options=list(ON_ERROR),
                    default=ON_ERROR[0],
                    optional=True,
                    tooltip="fail: one bad address fails the node. skip: the others are loaded, "
                    "and report says what became of each.",
                ),
                inputs.fit_input(),
            ),
            outputs=[
                inputs.images_output(),
                io.Mask.Output(
                    "out_masks",
                    display_name="masks",
                    tooltip="1 - alpha of each image [B, H, W]; zeros where a file has none.",
                ),
                inputs.image_list_output(),
                inputs.report_output(),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **given: Any) -> Any:
        """With skip, a run that left something out must not be cached."""
        urls: list[str | None] = given.get("urls") or [None]
        if inputs.first(given, "on_error", ON_ERROR[0]) == "fail":
            return "fails"
        if any(text is None for text in urls):
            return float("nan")
        key = "\n".join(inputs.lines("\n".join(str(text) for text in urls)))
        return "whole" if key in _loaded_whole else float("nan")

    @classmethod
    async def execute(cls, urls: list[str], **given: Any) -> io.NodeOutput:
        wanted = inputs.lines("\n".join(urls))
        fit = inputs.first(given, "fit", inputs.FITS[0])
        skips = inputs.first(given, "on_error", ON_ERROR[0]) == "skip"

        async def job(
            session: Session, tell: Callable[[Progress], None]
        ) -> tuple[list[Loaded], Pictures]:
            return await _load(wanted, session, tell, fit=fit, skips=skips)

        caller = runtime.Caller.of(cls.hidden.unique_id)
        loaded, pictures = await runtime.run(job, caller, describe)
        outcomes = _outcomes(loaded, pictures)
        failed = sum(outcome["status"] == "failed" for outcome in outcomes)
        if failed == 0:
            _remember("\n".join(wanted))
        count = f"{len(pictures.image_list)}/{len(wanted)}"
        caller.show(f"{count} image(s) 张图 · {failed} failed 失败")
        notes = {"notes": pictures.notes, "notes_zh": [chinese(note) for note in pictures.notes]}
        report = json.dumps({"images": outcomes, **notes}, ensure_ascii=False)
        tensors = (pictures.batch, pictures.masks, pictures.image_list)
        return io.NodeOutput(*tensors, report, ui={"images": pictures.shown})


async def _load(
    wanted: list[str],
    session: Session,
    tell: Callable[[Progress], None],
    *,
    fit: str,
    skips: bool,
) -> tuple[list[Loaded], Pictures]:
    from ..seedream_api.loading import load_urls
    from ..seedream_api.results import Phase, Progress

    begun = session.clock()

    def progress(done: int, total: int) -> None:
        tell(Progress(Phase.DOWNLOADING, session.clock() - begun, done=done, total=total))

    with await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="seedream-") as folder:
        loaded = await load_urls(wanted, session, Path(folder), progress=progress)
        good = [one for one in loaded if one.path is not None]
        errors = [one.error for one in loaded if one.error is not None]
        if errors and (not skips or not good):
            raise _failed(errors, len(loaded))
        paths = [one.path for one in good if one.path is not None]
        pictures = await pictures_of(
            paths, [one.name for one in good], fit, charge=Charge.NONE, with_masks=True
        )
    if pictures.failures and not skips:
        reason = next(iter(pictures.failures.values()))
        raise InvalidRequest(
            "urls_failed", failed=len(pictures.failures), total=len(loaded), reason=reason
        )
    return loaded, pictures


def _failed(errors: list[SeedreamError], total: int) -> SeedreamError:
    if total == 1:
        return errors[0]
    return InvalidRequest("urls_failed", failed=len(errors), total=total, reason=errors[0])


def _outcomes(loaded: list[Loaded], pictures: Pictures) -> list[dict[str, Any]]:
    """What became of every address, in order."""
    place = 0
    outcomes: list[dict[str, Any]] = []
    for one in loaded:
        outcome: dict[str, Any] = {"url": one.name, "status": "ok", "from_store": one.from_store}
        reason = one.error.message("en") if one.error is not None else None
        if one.error is None:
            reason = pictures.failures.get(place)
            place += 1
        if reason is not None:
            outcome.update(status="failed", reason=reason, reason_zh=chinese(reason))
        outcomes.append(outcome)
    return outcomes


def _remember(key: str) -> None:
    _loaded_whole[key] = None
    while len(_loaded_whole) > _REMEMBERED_LISTS:
        _loaded_whole.popitem(last=False)
