"""Load URL Images: load images by URL, with a size limit, as a batch and as a list."""

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
from . import freshness, inputs, node_values as values
from .execution import DecodedImages, decode_files, describe
from .host import runtime
from .host.encodable import with_encodable_errors

if TYPE_CHECKING:
    from ..seedream_api.jobs.load_urls import LoadedUrl
    from ..seedream_api.jobs.results import Progress
    from ..seedream_api.jobs.session import Session

ON_ERROR = ("fail", "skip")

CHECK_AGAIN_S = 10.0
"""How long checking the URLs of a former run may take; after that its images stay."""


class SeedreamLoadURLImages(io.ComfyNode):
    """Loads images by URL, but none from private networks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamLoadURLImages",
            display_name="Load URL Images",
            category=inputs.CATEGORY,
            description="Loads images from http and https URLs and data URIs. Results that are "
            "already stored are read from disk, even if their URL no longer works.",
            inputs=inputs.flatten(
                io.String.Input(
                    "urls",
                    multiline=True,
                    tooltip="URLs, one per line; a URL may contain commas. A connected list is "
                    "loaded in one run.",
                ),
                io.Combo.Input(
                    "on_error",
                    options=list(ON_ERROR),
                    default=ON_ERROR[0],
                    optional=True,
                    tooltip="fail: one bad URL fails the node. skip: the node loads the others, "
                    "and report has the outcome of each URL.",
                ),
                inputs.fit_input(),
            ),
            outputs=[
                inputs.images_output(),
                io.Mask.Output(
                    "out_masks",
                    display_name="masks",
                    tooltip="1 - alpha of each image [B, H, W]; zeros if a file has no alpha.",
                ),
                inputs.image_list_output(),
                inputs.report_output(),
            ],
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Change while the latest run left something out, or if a URL has new content."""
        return await freshness.fingerprint(cls, given, listed=True)

    @classmethod
    @with_encodable_errors
    async def execute(cls, urls: list[str], **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.from_node(cls, {"urls": urls, **given})
        wanted = values.collect_lines("urls", urls)
        fit = values.first_value(given, "fit", inputs.FITS[0], values.check_one_of(*inputs.FITS))
        on_error = values.first_value(
            given, "on_error", ON_ERROR[0], values.check_one_of(*ON_ERROR)
        )

        async def job(
            session: Session, report_progress: Callable[[Progress], None]
        ) -> tuple[list[LoadedUrl], DecodedImages, dict[str, str]]:
            return await _load(wanted, session, report_progress, fit=fit, skips=on_error == "skip")

        loaded, pictures, contents = await runtime.run(job, caller, describe)
        outcomes = _list_outcomes(loaded, pictures)
        failed = sum(outcome["status"] == "failed" for outcome in outcomes)
        freshness.note_run(cls, _make_content_check(contents, lacks=failed > 0))
        count = f"{len(pictures.image_list)}/{len(wanted)}"
        caller.show(f"{count} image(s) 张图 · {failed} failed 失败")
        report_notes = [*caller.notes, *pictures.notes]
        notes = {"notes": report_notes, "notes_zh": list(map(to_chinese, report_notes))}
        report = json.dumps({"images": outcomes, **notes}, ensure_ascii=False)
        tensors = (pictures.batch, pictures.masks, pictures.image_list)
        return io.NodeOutput(*tensors, report, ui={"images": pictures.previews})


async def _load(
    wanted: list[str],
    session: Session,
    report_progress: Callable[[Progress], None],
    *,
    fit: str,
    skips: bool,
) -> tuple[list[LoadedUrl], DecodedImages, dict[str, str]]:
    """Load the URLs; return outcomes, images, and a hash of each fetched content."""
    from ..seedream_api.jobs.load_urls import load_urls
    from ..seedream_api.jobs.results import Phase, Progress

    clock = session.resources.clock
    begun = clock.monotonic()

    def progress(done: int, total: int) -> None:
        seconds = clock.monotonic() - begun
        report_progress(Progress(Phase.DOWNLOADING, seconds, done=done, total=total))

    async with _temporary_folder() as folder:
        loaded = await load_urls(wanted, session, folder, progress=progress)
        good = [one for one in loaded if one.path is not None]
        errors = [one.error for one in loaded if one.error is not None]
        if errors and (not skips or not good):
            raise _load_error(errors, len(loaded))
        paths = [one.path for one in good if one.path is not None]
        pictures = await decode_files(
            paths, [one.name for one in good], fit, charge=Charge.NONE, with_masks=True
        )
        contents = await asyncio.to_thread(_hash_contents, loaded)
    if pictures.failures and not skips:
        reason = next(iter(pictures.failures.values()))
        raise InvalidRequest(
            "urls_failed", failed=len(pictures.failures), total=len(loaded), reason=reason
        )
    return loaded, pictures, contents


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path]:
    """Make a folder that is removed after the block.

    ``tempfile.TemporaryDirectory`` would also remove it when a forked child ends.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="seedream-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _hash_contents(loaded: list[LoadedUrl]) -> dict[str, str]:
    """Hash each fetched file; stored results and data URIs never change."""
    fetched = {one.url: one.path for one in loaded if one.is_fetched and one.path is not None}
    return {url: hashlib.sha256(path.read_bytes()).hexdigest() for url, path in fetched.items()}


def _make_content_check(contents: dict[str, str], *, lacks: bool) -> freshness.Check:
    """Make a check whether something was left out, or one of these URLs has new content.

    A URL that cannot be fetched counts as unchanged: its images stay.
    """

    async def has_changed(session: Session) -> bool:
        from ..seedream_api.jobs.load_urls import load_urls

        if lacks or not contents:
            return lacks
        async with _temporary_folder() as folder:
            loading = load_urls(list(contents), session, folder)
            with contextlib.suppress(asyncio.TimeoutError):
                loaded = await asyncio.wait_for(loading, CHECK_AGAIN_S)
                digests = await asyncio.to_thread(_hash_contents, loaded)
                return any(contents[url] != digest for url, digest in digests.items())
        return False

    return has_changed


def _load_error(errors: list[SeedreamError], total: int) -> SeedreamError:
    if total == 1:
        return errors[0]
    return InvalidRequest("urls_failed", failed=len(errors), total=total, reason=errors[0])


def _list_outcomes(loaded: list[LoadedUrl], pictures: DecodedImages) -> list[dict[str, Any]]:
    """List the outcome of every URL, in order."""
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
