"""Find the line of every value in a JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

JsonPath = tuple[str | int, ...]
"""Keys and indexes from the outermost value to an inner one."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class JsonLines:
    """The lines of a text that ``json.loads`` accepts.

    Raises:
        RecursionError: it is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[JsonPath, int] = {}
        self.repeated: list[JsonPath] = []
        """Keys that an object has twice, in their order."""
        self._tokens = _split_tokens(text)
        self._read_value((), *next(self._tokens))

    def line_of(self, *path: str | int) -> int:
        """Return the line of a key or item, from 1; of a missing one, that of what contains it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _read_value(self, path: JsonPath, token: str, line: int) -> None:
        self._lines.setdefault(path, line)
        if token == "[":  # noqa: S105
            self._read_items(path)
        elif token == "{":  # noqa: S105
            self._read_members(path)

    def _read_items(self, path: JsonPath) -> None:
        index = 0
        for token, line in self._tokens:
            if token == "]":  # noqa: S105
                return
            if token != ",":  # noqa: S105
                self._read_value((*path, index), token, line)
                index += 1

    def _read_members(self, path: JsonPath) -> None:
        for token, line in self._tokens:
            if token == "}":  # noqa: S105
                return
            if token != ",":  # noqa: S105
                member = (*path, str(json.loads(token)))
                if member in self._lines:
                    self.repeated.append(member)
                self._lines[member] = line
                next(self._tokens)  # the colon
                self._read_value(member, *next(self._tokens))


def _split_tokens(text: str) -> Iterator[tuple[str, int]]:
    line, at = 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        yield found.group(), line
