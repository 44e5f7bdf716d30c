"""Feed invalid input to every reader of foreign input: only our own errors may be raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from .. import response_shapes
from ..byte_random import Dice
from .files import (
    command_lines,
    environments,
    models_files,
    picture_files,
    prices_files,
    settings_files,
)
from .links import data_uris, urls
from .responses import answer_bodies, download_headers, hosts_answers
from .rows import close_ledgers, ledger_rows
from .sockets import heavy, heavy_cases, wire_answers

__all__ = ["TARGETS", "close_ledgers", "heavy", "heavy_cases", "run", "seeds"]

Target = Callable[[Dice, Path], None]
TARGETS: Mapping[str, Target] = MappingProxyType({
    target.__name__: target
    for target in (
        answer_bodies, hosts_answers, download_headers, urls, data_uris, settings_files,
        models_files, prices_files, environments, command_lines, picture_files, ledger_rows,
        wire_answers,
    )
})  # fmt: skip


def run(target: Target, data: bytes, folder: Path) -> None:
    """One case; whatever comes out of it is a defect."""
    target(Dice(data), folder)


def seeds() -> list[bytes]:
    """What coverage-guided runs begin with."""
    return [json.dumps(shape).encode() for shape in response_shapes.ANSWERS] + [
        bytes(64),
        bytes(range(256)),
    ]
