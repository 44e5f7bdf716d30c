"""What tests start and must remove, whatever fails around it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from typing_extensions import Self


class Removable(ABC):
    """A server that is removed when its block ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @abstractmethod
    def remove(self) -> None:
        """Stop it, unless it has stopped, and delete what it wrote."""
