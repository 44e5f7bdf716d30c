"""Load URL Images: pictures by address, within bounds, as a batch and as a list."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.errors import Charge, InvalidRequest, SeedreamError
from ..seedream_api.messages import to_chinese
from . import freshness, given as values, inputs
from .execution import DecodedImages, decode_files, describe
from .host import runtime
from .host.encodable import raises_encodable

if TYPE_CHECKING:
    from ..seedream_api.jobs.load_urls import LoadedUrl
    from ..seedream_api.jobs.results import Progress
    from ..seedream_api.jobs.session import Session

ON_ERROR = ("fail", "skip")

CHECK_AGAIN_S = 10.0
"""How long the addresses of a former run may take to be compared; then its pictures stay."""


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
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Changes while the latest run left something out, or where an address has new content."""
        return await freshness.fingerprint(cls, given, listed=True)

    @classmethod
    @raises_encodable
    async def execute(cls, urls: list[str], **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.of(cls, {"urls": urls, **given})
        wanted = values.lines_of_all("urls", urls)
        fit = values.first_value(given, "fit", inputs.FITS[0], values.one_of(*inputs.FITS))
        on_error = values.first_value(given, "on_error", ON_ERROR[0], values.one_of(*ON_ERROR))

        async def job(
            session: Session, tell: Callable[[Progress], None]
        ) -> tuple[list[LoadedUrl], DecodedImages, dict[str, str]]:
            return await _load(wanted, session, tell, fit=fit, skips=on_error == "skip")

        loaded, pictures, contents = await runtime.run(job, caller, describe)
        outcomes = _outcomes(loaded, pictures)
        failed = sum(outcome["status"] == "failed" for outcome in outcomes)
        freshness.note_run(cls, _content_check(contents, lacks=failed > 0))
        count = f"{len(pictures.image_list)}/{len(wanted)}"
        caller.show(f"{count} image(s) 张图 · {failed} failed 失败")
        said = [*caller.notes, *pictures.notes]
        notes = {"notes": said, "notes_zh": list(map(to_chinese, said))}
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
) -> tuple[list[LoadedUrl], DecodedImages, dict[str, str]]:
    """The outcomes, the pictures, and a hash of the content of each address that was fetched."""
    from ..seedream_api.jobs.load_urls import load_urls
    from ..seedream_api.jobs.results import Phase, Progress

    begun = session.clock()

    def progress(done: int, total: int) -> None:
        tell(Progress(Phase.DOWNLOADING, session.clock() - begun, done=done, total=total))

    async with _temporary_folder() as folder:
        loaded = await load_urls(wanted, session, folder, progress=progress)
        good = [one for one in loaded if one.path is not None]
        errors = [one.error for one in loaded if one.error is not None]
        if errors and (not skips or not good):
            raise _failed(errors, len(loaded))
        paths = [one.path for one in good if one.path is not None]
        pictures = await decode_files(
            paths, [one.name for one in good], fit, charge=Charge.NONE, with_masks=True
        )
        contents = await asyncio.to_thread(_contents, loaded)
    if pictures.failures and not skips:
        reason = next(iter(pictures.failures.values()))
        raise InvalidRequest(
            "urls_failed", failed=len(pictures.failures), total=len(loaded), reason=reason
        )
    return loaded, pictures, contents


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path]:
    """A folder that ends with the block. ``tempfile.TemporaryDirectory`` would also remove it when
    a forked child ends."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="seedream-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _contents(loaded: list[LoadedUrl]) -> dict[str, str]:
    """A hash of each file that was fetched; stored results and data URIs never change."""
    fetched = {one.url: one.path for one in loaded if one.is_fetched and one.path is not None}
    return {url: hashlib.sha256(path.read_bytes()).hexdigest() for url, path in fetched.items()}


def _content_check(contents: dict[str, str], *, lacks: bool) -> freshness.Check:
    """Whether something was left out, or one of these addresses has other content by now. One that
    cannot be fetched tells nothing: the pictures that it gave stay."""

    async def has_changed(session: Session) -> bool:
        from ..seedream_api.jobs.load_urls import load_urls

        if lacks or not contents:
            return lacks
        async with _temporary_folder() as folder:
            loading = load_urls(list(contents), session, folder)
            with contextlib.suppress(asyncio.TimeoutError):
                loaded = await asyncio.wait_for(loading, CHECK_AGAIN_S)
                found = await asyncio.to_thread(_contents, loaded)
                return any(contents[url] != digest for url, digest in found.items())
        return False

    return has_changed


def _failed(errors: list[SeedreamError], total: int) -> SeedreamError:
    if total == 1:
        return errors[0]
    return InvalidRequest("urls_failed", failed=len(errors), total=total, reason=errors[0])


def _outcomes(loaded: list[LoadedUrl], pictures: DecodedImages) -> list[dict[str, Any]]:
    """What became of every address, in order."""
    place = 0
    outcomes: list[dict[str, Any]] = []
    for one in loaded:
        outcome: dict[str, Any] = {"url": one.name, "status": "ok", "from_store": one.from_store}
        reason = one.error.message_text if one.error is not None else None
        if one.error is None:
            reason = pictures.failures.get(place)
            place += 1
        if reason is not None:
            outcome.update(status="failed", reason=reason, reason_zh=to_chinese(reason))
        outcomes.append(outcome)
    return outcomes
