"""Random choices made from bytes: the same bytes give the same case.

Hypothesis shrinks such bytes, atheris lets coverage guide them, and a seeded generator makes
millions of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Reads numbers off ``data``; zeros once it is used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, bound: int) -> int:
        """A number from 0 to ``bound - 1``."""
        value = 0
        reach = 1
        while reach < bound:
            value = value << 8 | self._byte()
            reach <<= 8
        return value % bound

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def one_in(self, count: int) -> bool:
        return self.below(count) == count - 1

    def raw(self, most: int) -> bytes:
        """Up to ``most`` bytes as they come."""
        size = self.below(most + 1)
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece

    def text(self, most: int) -> str:
        """Letters of many scripts, controls, halves of characters."""
        return "".join(
            chr(self.below(128) if self.below(3) else self.below(0x110000))
            for _ in range(self.below(most + 1))
        )

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0
