"""Every Python example of the documents runs as it stands, in order, against the sandbox."""

from __future__ import annotations

import asyncio
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from support.api_client import ApiClient
from support.paths import PACK_ROOT

BLOCK = re.compile(r"^## (.+?)\n|^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FEWER = {"range(10_000)": "range(3)", "range(20)": "range(12)"}
"""Shorter loops than in the documents, to save time."""


def blocks() -> list[tuple[str, str]]:
    """The heading and the code of each example, in order."""
    found: list[tuple[str, str]] = []
    heading = ""
    for title, code in BLOCK.findall((PACK_ROOT / "docs" / "python.md").read_text("utf-8")):
        heading = title or heading
        if code:
            found.append((heading, code))
    return found


def run(code: str) -> None:
    for long, short in FEWER.items():
        code = code.replace(long, short)
    names: dict[str, Any] = {}
    if re.search(r"\bawait\b|\basync with\b", code):
        code = f"async def main():\n{textwrap.indent(code, '    ')}"
    exec(compile(code, "docs/python.md", "exec"), names)  # noqa: S102
    if "main" in names:
        asyncio.run(names["main"]())


def test_documented_code_runs_and_pays_once(
    api_client: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in api_client.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    for name, color in (("cat.png", "red"), ("hat.webp", "blue")):
        Image.new("RGB", (64, 64), color).save(name)
    found = blocks()
    questions = {heading for heading, _ in found if heading.endswith("?")}
    assert len(questions) >= 10
    assert "How do I upload a reference once and use it in ten requests?" in questions
    for heading, code in found:
        try:
            run(code)
        except Exception as error:
            raise AssertionError(f"{heading}: {error}") from error
    uploads = [one for one in api_client.sandbox.requests if one.path == "/sandbox/images"]
    assert len(uploads) == 2, "the two references are uploaded once for ten requests"
    listed = {row.fingerprint for row in api_client.rows}
    assert api_client.sent == len(listed) + 1, "one row is forgotten by an example"
