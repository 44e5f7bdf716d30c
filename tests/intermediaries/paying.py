"""One paid request through whatever lies between, and what the caller learns of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from seedream_api import (
    Charge,
    Request,
    Result,
    SeedreamError,
    Session,
    file_reference,
    generate,
    load_settings,
)

MODEL = "Seedream-5.0-Lite-Preferential"
KEY = "sk-between-0123456789abcdef"
LONGEST_PAUSE_S = 0.1
_TAG = re.compile(r"</?[a-z!][^>]*>", re.IGNORECASE)
_COMMAND = re.compile(r"python -m seedream_api \S+( --\S+ \d+)?|Settings > Seedream")
_ENGLISH = re.compile(r"[A-Za-z']{2,} +[A-Za-z']{2,} +[A-Za-z']{2,}")


class HurriedClock:
    """Long pauses take a tenth of a second; the clock still counts them whole."""

    def __init__(self) -> None:
        self.at = 1_769_263_230.0

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(min(seconds, LONGEST_PAUSE_S))


@dataclass
class Outcome:
    """A result or an error of ours."""

    result: Result | None
    error: SeedreamError | None

    @property
    def charge(self) -> Charge | None:
        return None if self.error is None else self.error.charge

    @property
    def kind(self) -> str:
        return "Result" if self.error is None else type(self.error).__name__

    @property
    def is_free(self) -> bool:
        return self.error is not None and not self.error.may_have_been_charged

    def require_readable(self, *quoted: str, may_quote: tuple[str, ...] = ()) -> None:
        """Messages hold no tags; the Chinese one holds no English but what it quotes.

        Args:
            quoted: words of others that the English message has to quote.
            may_quote: those that it need not quote.
        """
        assert self.error is not None
        english, chinese = self.error.message("en"), self.error.message("zh")
        assert not _TAG.search(english), english
        for text in quoted:
            assert text in english, english
        for text in (*quoted, *may_quote):
            chinese = chinese.replace(text, "")
        left = _COMMAND.sub("", chinese)
        assert not _ENGLISH.search(left), self.error.message("zh")
        assert re.search(r"[\u4e00-\u9fff]", left)


@dataclass
class Customer:
    """Someone with a key and a data folder, at the address ``base``."""

    base: str
    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    references: tuple[Path, ...] = ()

    def pay(self, prompt: str = "A cat on the grass") -> Outcome:
        return asyncio.run(self._pay(prompt))

    async def _pay(self, prompt: str) -> Outcome:
        settings = load_settings(
            environ={
                "SEEDREAM_HOME": str(self.home),
                "DEEPSPACE_API_KEY": KEY,
                "DEEPSPACE_BASE_URL": self.base,
                **self.environ,
            }
        )
        pictures = [file_reference(path, n) for n, path in enumerate(self.references, 1)]
        fields: dict[str, Any] = {"model": MODEL, "prompt": prompt, "references": tuple(pictures)}
        clock = HurriedClock()
        async with Session(settings, clock=clock, sleep=clock.sleep, now=clock) as session:
            try:
                return Outcome(await generate(Request(**fields), session), None)
            except SeedreamError as error:
                return Outcome(None, error)


def noise(path: Path, side: int, number: int = 0) -> Path:
    """A PNG that cannot be made smaller: about ``side * side * 3`` bytes."""
    data = Random(number).randbytes(side * side * 3)  # noqa: S311
    Image.frombytes("RGB", (side, side), data).save(path, compress_level=0)
    return path
