"""``generate``: make images, or return the stored ones of an equal request."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..arguments import add_out, add_output, add_profile, add_waiting, parse_int, parse_text
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...jobs.session import Session
    from ...service.references import Reference


def add_arguments(parser: Parser) -> None:
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", required=True, type=parse_text)
    parser.add_argument("--size", help=help_text("size"))
    parser.add_argument("--quality", help=help_text("quality"))
    parser.add_argument("--n", type=parse_int, help=help_text("n"))
    parser.add_argument("--ref", action="append", default=[], metavar="FILE|URL")
    parser.add_argument("--seed", type=parse_int, default=0, help=help_text("seed"))
    parser.add_argument("--prompt-priority", help=help_text("priority"))
    parser.add_argument("--output-format", help=help_text("format"))
    parser.add_argument("--watermark", action="store_true", default=None)
    add_out(parser)
    add_waiting(parser)
    add_profile(parser)
    add_output(parser)
    parser.add_examples(
        'generate --model Seedream-4.5 --prompt "A cat on the grass" --size 16:9 --out pictures',
        'generate --model Seedream-5.0-Lite-Preferential --prompt "In watercolor" --ref cat.png',
    )


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import run_in_session

    return run_in_session(arguments, _generate)


async def _generate(arguments: argparse.Namespace, session: Session) -> Outcome:
    import asyncio

    from ...jobs.generate import generate
    from ...service.request import Request
    from ..delivery import deliver
    from ..files import try_folder
    from ..progress import ProgressLine

    await asyncio.to_thread(try_folder, arguments.out)
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
    return await deliver(result, arguments.out)


def _parse_references(given: Sequence[str]) -> tuple[Reference, ...]:
    from ...config.paths import expand_user
    from ...service.references import UrlReference, file_reference

    return tuple(
        UrlReference(text.strip().replace(" ", "%20"))
        if text.strip().lower().startswith(("http://", "https://"))
        else file_reference(expand_user(text), position)
        for position, text in enumerate(given, start=1)
    )
