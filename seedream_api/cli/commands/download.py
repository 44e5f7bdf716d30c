"""``download``: fetch images by URL."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ResultUnavailable, SeedreamError
from ...messages import Text
from ..arguments import add_out, add_output
from ..output import Outcome, Verbatim
from ..parser import Parser
from ..payloads import build_download_payload

if TYPE_CHECKING:
    from ...jobs.load_urls import LoadedUrl
    from ...jobs.session import Session


def add_arguments(parser: Parser) -> None:
    parser.add_argument("urls", nargs="+", metavar="URL")
    add_out(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import run_in_session

    return run_in_session(arguments, _download)


async def _download(arguments: argparse.Namespace, session: Session) -> Outcome:
    import asyncio
    import tempfile

    from ...downloads.data_uri import is_data_uri
    from ...downloads.downloader import encode_blanks
    from ...jobs.load_urls import load_urls
    from ...network.url_guard import check_url
    from ..files import try_folder

    await asyncio.to_thread(try_folder, arguments.out)
    for url in arguments.urls:
        if not is_data_uri(url):
            check_url(encode_blanks(url), field="URL")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = await load_urls(arguments.urls, session, Path(folder))
        return await asyncio.to_thread(_copy_downloads, outcomes, arguments.out)


def _copy_downloads(outcomes: list[LoadedUrl], out: Path) -> Outcome:
    from ...images.decode import probe
    from ...images.saving import save_into_folder

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
            path = str(save_into_folder(loaded.path, out, f"download-{number + 1}"))
        except SeedreamError as error:
            errors.append(error)
            failures.append({"task_id": None, "position": number, "reason": error.message("en")})
            continue
        images.append({"path": path, "width": info.width, "height": info.height, "url": loaded.url})
    if errors and not images:
        raise errors[0]
    is_reused = all(loaded.from_store for loaded in outcomes)
    payload = build_download_payload(images, failures, reused=is_reused)
    lines = [*(Verbatim(image["path"]) for image in images), *map(str, errors)]
    return Outcome(payload, lines, 0)
