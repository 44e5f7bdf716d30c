"""``sandbox``: run the free sandbox of the service as a server."""

from __future__ import annotations

import argparse

from ...errors import SeedreamError
from ...messages import Text, localize, text_of
from ..arguments import parse_port
from ..output import Outcome, say
from ..parser import Parser, help_text


def add_arguments(parser: Parser) -> None:
    parser.add_argument("--port", type=parse_port, default=0, help=help_text("port"))
    parser.add_argument("--strict", action="store_true", help=help_text("strict"))
    parser.add_argument(
        "--simulate",
        action="append",
        default=[],
        metavar="WORD",
        help=help_text("simulate"),
    )


def run(arguments: argparse.Namespace) -> Outcome:
    import asyncio

    from ...config.settings import SANDBOX_KEY
    from ...sandbox import SIMULATIONS, Sandbox
    from ..session import open_settings

    for word in arguments.simulate:
        if word not in SIMULATIONS:
            allowed = ", ".join(SIMULATIONS)
            arguments.parser.error(Text("wrong_use_choice", given=word, allowed=allowed))
    settings = open_settings(arguments)
    try:
        sandbox = Sandbox(
            settings.home,
            port=arguments.port,
            strict=arguments.strict,
            models=settings.models,
            simulated=arguments.simulate,
        ).start()
    except OSError as error:
        raise SeedreamError("sandbox_failed", reason=text_of(error)) from None
    words = [
        localize(Text("sandbox_runs", url=sandbox.url)),
        f"  DEEPSPACE_BASE_URL={sandbox.url}",
        f"  DEEPSPACE_API_KEY={SANDBOX_KEY}",
        localize(Text("ctrl_c_ends")),
    ]
    try:
        asyncio.run(_wait_until_stopped("\n".join(words)))
    finally:
        sandbox.stop()
    return Outcome({"url": sandbox.url}, (), 0)


async def _wait_until_stopped(words: str) -> None:
    """Print ``words`` once Ctrl-C is handled, and wait for it."""
    import asyncio
    import signal

    from ..session import STOPS

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOPS:
        signal.signal(each, lambda number, frame: loop.call_soon_threadsafe(stopped.set))
    say(words)
    await stopped.wait()
