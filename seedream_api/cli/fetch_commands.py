"""The commands that fetch images: generate, poll, download, and tasks --resume."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ..config.paths import expand_user
from ..downloads.data_uri import is_data_uri
from ..downloads.downloader import encode_blanks
from ..errors import Charge, InvalidRequest, LedgerFailed, ResultUnavailable, SeedreamError
from ..images.decode import probe
from ..jobs.collect import collect_all, resume
from ..jobs.generate import generate
from ..jobs.load_urls import LoadedUrl, file_suffix, load_urls
from ..jobs.results import Result
from ..jobs.session import Session
from ..messages import Text, localize, text_of
from ..network.url_guard import check_url
from ..service.references import Reference, UrlReference, file_reference
from ..service.request import Request
from .output import Outcome, ProgressLine, build_result_payload

_EXIT_CODES = {"completed": 0, "partial": 0, "submitted": 0, "pending": 5}


async def run_generate(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Generate images and copy them into ``--out``."""
    await asyncio.to_thread(_try_folder, arguments.out)
    references = await asyncio.to_thread(_parse_references, arguments.ref)
    request = Request(
        model=arguments.model,
        prompt=arguments.prompt,
        size=arguments.size,
        quality=arguments.quality,
        n=arguments.n,
        prompt_priority=arguments.prompt_priority,
        output_format=arguments.output_format,
        watermark=arguments.watermark,
        seed=arguments.seed,
        references=references,
    )
    line = ProgressLine()
    try:
        result = await generate(
            request,
            session,
            wait=not arguments.no_wait,
            timeout_s=arguments.timeout,
            progress=line,
        )
    finally:
        line.end()
    return await _deliver(result, arguments.out)


async def run_poll(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Fetch tasks by their ids into ``--out``."""
    await asyncio.to_thread(_try_folder, arguments.out)
    line = ProgressLine()
    try:
        result = await collect_all(
            arguments.task_ids,
            session,
            wait=not arguments.no_wait,
            timeout_s=arguments.timeout,
            progress=line.of_task,
        )
    finally:
        line.end()
    return await _deliver(result, arguments.out)


async def run_resume(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Fetch the missing images of one ledger entry into ``--out``."""
    await asyncio.to_thread(_try_folder, arguments.out)
    row = await session.ledger.find_record(arguments.resume)
    if row is None:
        raise InvalidRequest("entry_unknown", given=arguments.resume)
    outcome = await _deliver(await resume(row, session), arguments.out)
    return Outcome({"tasks": [outcome.payload]}, outcome.lines, outcome.exit_code)


async def run_download(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Fetch images by URL into ``--out``."""
    await asyncio.to_thread(_try_folder, arguments.out)
    for url in arguments.urls:
        if not is_data_uri(url):
            check_url(encode_blanks(url), field="URL")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = await load_urls(arguments.urls, session, Path(folder))
        return await asyncio.to_thread(_copy_downloads, outcomes, arguments.out)


def _copy_downloads(outcomes: list[LoadedUrl], out: Path) -> Outcome:
    images: list[dict[str, object]] = []
    failures: list[dict[str, object]] = []
    errors: list[SeedreamError] = []
    for number, loaded in enumerate(outcomes):
        try:
            if loaded.error is not None or loaded.path is None:
                raise loaded.error or ResultUnavailable(
                    "download_failed", given=loaded.name, reason=Text("nothing_arrived")
                )
            info = probe(loaded.path, name=loaded.name)
            path = _copy_image(loaded.path, out, f"download-{number + 1}")
        except SeedreamError as error:
            errors.append(error)
            failures.append({"task_id": None, "position": number, "reason": error.message("en")})
            continue
        images.append({"path": path, "width": info.width, "height": info.height, "url": loaded.url})
    if errors and not images:
        raise errors[0]
    payload = {
        "status": "partial" if failures else "completed",
        "task_id": "",
        "task_ids": [],
        "images": images,
        "failures": failures,
        "references": None,
        "reused": all(loaded.from_store for loaded in outcomes),
        "may_have_been_charged": False,
        "error": None,
        "notes": [],
    }
    lines = [str(image["path"]) for image in images] + [str(error) for error in errors]
    return Outcome(payload, lines, 0)


def _parse_references(given: Sequence[str]) -> tuple[Reference, ...]:
    return tuple(
        UrlReference(text.strip().replace(" ", "%20"))
        if text.strip().lower().startswith(("http://", "https://"))
        else file_reference(expand_user(text), position)
        for position, text in enumerate(given, start=1)
    )


async def _deliver(result: Result, out: Path) -> Outcome:
    """Copy a result's images into ``out``."""

    def copy_all() -> list[str]:
        return [
            _copy_image(image.path, out, f"seedream-{result.entry}-{number}")
            for number, image in enumerate(result.images, start=1)
        ]

    try:
        paths = await asyncio.to_thread(copy_all)
    except LedgerFailed as error:
        is_charged = not result.is_reused and result.charged_images > 0
        charge = Charge.MADE if is_charged else Charge.NONE
        raise error.with_charge(charge, result.task_id) from None
    lines = [*paths]
    if result.is_reused:
        lines.append(localize(Text("stored_result")))
    if result.status in ("submitted", "pending"):
        lines.append(localize(Text("task_runs", task_id=result.task_id)))
    lines += [localize(Text("failed_line", reason=failure.reason)) for failure in result.failures]
    lines += [localize(Text("note_line", note=note)) for note in result.notes]
    return Outcome(build_result_payload(result, paths), lines, _EXIT_CODES[result.status])


def _try_folder(out: Path) -> None:
    """Check that the folder is writable, before anything is paid for.

    Raises:
        LedgerFailed: the folder cannot be written.
    """
    trial = out / f".{uuid.uuid4().hex}.part"
    try:
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"tried")
        trial.unlink()
        for folder in missing:  # a refused request leaves no folder; one in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()
    except OSError as error:
        raise LedgerFailed("out_unwritable", path=out, reason=text_of(error)) from None


def _copy_image(source: Path, out: Path, name: str) -> str:
    """Copy a file atomically, to a free name or one with the same bytes.

    Raises:
        LedgerFailed: the folder cannot be written; the image stays in the store.
    """
    ending = file_suffix(source)
    try:
        out.mkdir(parents=True, exist_ok=True)
        target, number = out / f"{name}{ending}", 1
        data = source.read_bytes()
        while target.exists():
            if target.read_bytes() == data:
                return str(target)
            number += 1
            target = out / f"{name}-{number}{ending}"
        partial = out / f".{uuid.uuid4().hex}.part"
        shutil.copyfile(source, partial)
        os.replace(partial, target)  # noqa: PTH105
    except OSError as error:
        raise LedgerFailed("store_full", path=out, reason=text_of(error)) from None
    return str(target)


Run = Callable[[argparse.Namespace, Session], Awaitable[Outcome]]
"""A command that needs an open session."""
