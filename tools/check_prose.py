"""Find words that this project does not use: ``python tools/check_prose.py [FILE ...]``.

Checks the docstrings, comments and test names of Python files, every string under
``seedream_api/messages``, the values of JSON files, and the whole text of other files; code in
backticks is left out. Prints ``file:line: words`` for each finding and exits with 1 if there is
one. ``check_prose.json`` lists the files to check and the exceptions, each with its reason.
Standard library only.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CONFIG = Path(__file__).with_suffix(".json")

BANNED = re.compile(
    "|".join((
        r"\b(?:nobody|somebody|whoever|anew|surely|roads?|mend(?:s|ed|ing)?|wish(?:es|ed)?)\b",
        r"(?<![.\w])walk(?:s|ed|ing)?\b",
        r"\banswer(?:s|ing)?\b|(?<!\*)\banswered\b",  # *answered* is a state
        r"\b(?:is|are|was|were|be|been) (?:told|had)\b",
        r"\b(?:go(?:es|ing)?|went) on\b|\b(?:come|came)s? back\b|\bcoming back\b",
        r"\bst(?:ands?|ood|anding) in\b|\bh(?:angs?|ung|anging) on\b",
        r"\bby (?:itself|themselves)\b|\bof (?:its|their|our|your|one's|my) own\b",
        r"\bnames? no\b|(?<!\bthere\s)\b(?:is|are|was|were) no (?!longer\b|more\b|less\b)",
        r"\b(?:one|URL|address|id|file|image|picture|entry|test) an? (?:line|row|item|node)\b",
        # This may also begin a clause of time: "once a request is sent".
        r"\bonce an? (?:image|item|request|process|run|session|file|line|node)\b"
        r"(?! (?:is|was|has|had)\b)",
        # Poll a task; do not look at it.
        r"\blook(?:s|ed|ing)? (?:once|elsewhere|at (?:a|the|its|this|each|every) tasks?)\b",
        r"\b(?:a|one|two|each|every|latest|next|last) looks?\b",
        # A reference image has an upload target; a request is in progress.
        r"\bways? (?:of|for) references\b|\bway to upload\b|\b(?:upload|URL) ways?\b",
        r"\b(?:no|one|first|chosen) way (?:to|that|is)\b|\bon (?:its|their) way\b",
    )).replace(" ", r"\s+"),
    re.IGNORECASE,
)  # fmt: skip
BANNED_CHINESE = re.compile(
    r"回答|遗忘|安全边界|画面形状|以地址提供|半个字符|擅自压缩|存疑|怎么办|扣费 ?0 ?张|无人处理"
    r"|必须要求多张|在提交处扣费|秘密"
)
CODE = re.compile(r"^ *```.*?^ *```|(`+)[^`]+?\1|\]\([^)\s]*\)", re.MULTILINE | re.DOTALL)


class Exempt(NamedTuple):
    """An exception: in this file this phrase may contain banned words."""

    file: str
    phrase: str
    reason: str


class Finding(NamedTuple):
    """Banned words and where they start."""

    file: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.words}"


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def prose_of(name: str, source: str) -> str:
    """Return the source with everything but prose blanked out; lines keep their numbers."""
    kept = python_prose(name, source) if name.endswith(".py") else source
    if name.endswith(".json"):
        kept = re.sub(r'"[^"\n]*"(?=\s*:)', lambda key: blank(key[0]), kept)
    return CODE.sub(lambda match: blank(match[0]), kept)


def python_prose(name: str, source: str) -> str:
    lines = source.splitlines(keepends=True)
    kept = [blank(line) for line in lines]
    for token in prose_tokens(name, source):
        (first, start), (last, end) = token.start, token.end
        for number in range(first, last + 1):
            line = lines[number - 1]
            begin = start if number == first else 0
            until = end if number == last else len(line)
            words = line[begin:until]
            is_name = token.type == tokenize.NAME
            words = words[5:].replace("_", " ") if is_name else words.strip("#\"'")
            # A prefix may be as long as what was stripped: only the line matters, not the column.
            kept[number - 1] = f"{kept[number - 1][:begin]}{words}{kept[number - 1][until:]}"
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in kept)


def prose_tokens(name: str, source: str) -> Iterator[tokenize.TokenInfo]:
    """Yield comments, docstrings and names of tests; of messages every string."""
    docstrings = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    has_messages = name.startswith("seedream_api/messages/")
    strings = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_text = token.type in strings and (has_messages or token.start in docstrings)
        is_test = token.type == tokenize.NAME and token.string.startswith("test_")
        if is_text or token.type == tokenize.COMMENT or (is_test and "def test_" in token.line):
            yield token


def find(name: str, source: str, exempt: list[Exempt]) -> tuple[list[Finding], set[Exempt]]:
    """Return the findings in one file, and the exceptions that it made use of."""
    prose = prose_of(name, source)
    spans = {
        match.span(): one
        for one in exempt
        if one.file == name
        for match in re.finditer(r"\s+".join(map(re.escape, one.phrase.split())), prose)
    }
    findings: list[Finding] = []
    used: set[Exempt] = set()
    for pattern in (BANNED, BANNED_CHINESE):
        for match in pattern.finditer(prose):
            covering = {
                one
                for (start, end), one in spans.items()
                if start <= match.start() and match.end() <= end
            }
            used |= covering
            if not covering:
                line = prose.count("\n", 0, match.start()) + 1
                findings.append(Finding(name, line, " ".join(match[0].split())))
    return sorted(findings), used


def main(*arguments: str) -> int:
    config: dict[str, Any] = json.loads(CONFIG.read_text("utf-8"))
    exempt = [Exempt(**one) for one in config["exceptions"]]
    files = {path for pattern in config["files"] for path in ROOT.glob(pattern)}
    files = {Path(one).resolve() for one in arguments} or files
    used: set[Exempt] = set()
    findings: list[Finding] = []
    for file in sorted(files):
        name = file.relative_to(ROOT).as_posix()
        found, needed = find(name, file.read_text("utf-8"), exempt)
        findings += found
        used |= needed
    problems = [str(one) for one in findings]
    if not arguments:
        problems += [f"{CONFIG.name}: not needed: {one}" for one in exempt if one not in used]
    print("\n".join(problems) or f"{len(files)} files: no banned words")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
