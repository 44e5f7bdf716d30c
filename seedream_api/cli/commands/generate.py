"""``generate``: make images, or return the stored ones of an equal request."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...catalog import MAX_RESULTS, MODELS, Family, all_values, of_family
from ..arguments import (
    add_model,
    add_name,
    add_out,
    add_output,
    add_profile,
    add_waiting,
    parse_int,
    parse_text,
)
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...jobs.session import Session


def _list_tiers(family: Family) -> str:
    models = [MODELS[model_id] for model_id in of_family(MODELS, family)]
    return ", ".join(all_values(models, family.tier_field))


def add_arguments(parser: Parser) -> None:
    add_model(parser)
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--prompt", type=parse_text, metavar="TEXT", help=help_text("prompt"))
    prompt.add_argument("--prompt-file", type=Path, metavar="FILE", help=help_text("prompt_file"))
    sizes, qualities = map(_list_tiers, Family)
    parser.add_argument("--size", help=help_text("size", tiers=sizes))
    parser.add_argument("--quality", help=help_text("quality", tiers=qualities))
    parser.add_argument("--n", type=parse_int, help=help_text("n", most=MAX_RESULTS.value))
    parser.add_argument(
        "--ref", action="append", default=[], metavar="FILE|URL", help=help_text("ref")
    )
    parser.add_argument("--seed", type=parse_int, default=0, help=help_text("seed"))
    parser.add_argument("--prompt-priority", help=help_text("priority"))
    parser.add_argument("--output-format", help=help_text("format"))
    parser.add_argument(
        "--watermark", action="store_true", default=None, help=help_text("watermark")
    )
    add_out(parser)
    add_name(parser)
    add_waiting(parser)
    add_profile(parser)
    add_output(parser)
    parser.add_examples(
        'generate --model Seedream-4.5 --prompt "A cat on the grass" --size 16:9 --out pictures',
        'generate --model Seedream-5.0-Lite-Preferential --prompt "In watercolor" --ref cat.png',
        "generate --model Seedream-4.5 --prompt-file prompt.txt --ref 'views/*.png'",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import run_in_session

    return run_in_session(arguments, _generate)


async def _generate(arguments: argparse.Namespace, session: Session) -> Outcome:
    import asyncio

    from ...jobs.generate import generate
    from ...service.request import Request
    from ..delivery import deliver
    from ..files import check_name, try_folder
    from ..given_files import read_prompt, read_references
    from ..progress import ProgressBoard

    if arguments.name:
        check_name(arguments.name)
    await asyncio.to_thread(try_folder, arguments.out)
    prompt = await asyncio.to_thread(read_prompt, arguments)
    references = await asyncio.to_thread(read_references, arguments.ref)
    request = Request(
        model=arguments.model,
        prompt=prompt,
        size=arguments.size,
        quality=arguments.quality,
        n=arguments.n,
        prompt_priority=arguments.prompt_priority,
        output_format=arguments.output_format,
        watermark=arguments.watermark,
        seed=arguments.seed,
        references=references,
    )
    typical_s = await session.ledger.typical_seconds(arguments.model)
    with ProgressBoard(typical_s=typical_s, is_shown=not arguments.quiet) as board:
        result = await generate(
            request,
            session,
            wait=not arguments.no_wait,
            timeout_s=arguments.timeout,
            progress=board,
        )
    return await deliver(result, arguments)
