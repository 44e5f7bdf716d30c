"""The sandbox's key as a canary: at the end of a run it must lie nowhere.

Registered by ``tests/conftest.py``. Searched are every file that the tests have left in their
temporary folders, everything that they printed or logged, and the environments of processes that
others than the tests themselves have started; in all forms in which a key may travel. It may stand
in ``settings.json``, where a test has saved it, and in copies of the pack's own sources.
"""

from __future__ import annotations

import base64
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

CANARY = "sk-sandbox-free"
WHERE_IT_MAY_STAND = ("settings.json",)
SOURCES = (".py", ".pyc", ".md", ".js", ".zip", ".whl", ".gz", ".html")
MOST_BYTES = 256 * 1024 * 1024


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may look on its way, by name."""
    plain = secret.encode()
    encoded = "".join(f"%{byte:02X}" for byte in plain)
    found = {
        "plain": plain,
        "reversed": plain[::-1],
        "url-encoded": encoded.encode(),
        "url-encoded, small letters": encoded.lower().encode(),
        "quoted": quote(secret, safe="").encode(),
        "hexadecimal": plain.hex().encode(),
        "utf-16": secret.encode("utf-16-le"),
    }
    for shift in range(3):
        # Within a longer text its first letters depend on where it begins.
        whole = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        # And the last ones on what follows.
        inner = whole[(0, 2, 3)[shift] : len(whole) - (1 if (shift + len(plain)) % 3 else 0)]
        found[f"base64, {shift} bytes in"] = inner
        found[f"base64 for URLs, {shift} bytes in"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def forms_in(data: bytes | mmap.mmap, secret: str = CANARY) -> list[str]:
    """The names of the forms in which ``secret`` stands in ``data``."""
    return [name for name, form in forms(secret).items() if data.find(form) >= 0]


def forms_in_files(folder: Path, secret: str = CANARY) -> Iterator[str]:
    """A line for each file below ``folder`` that holds the secret where none may stand."""
    for path in sorted(folder.rglob("*")):
        is_allowed = path.name in WHERE_IT_MAY_STAND or path.suffix in SOURCES
        if is_allowed or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        if 0 < size < MOST_BYTES:
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                if found := forms_in(data, secret):
                    yield f"{path}: {', '.join(found)}"


def forms_in_descendants(pid: int, secret: str = CANARY) -> Iterator[str]:
    """A line for each process that a child of ``pid`` has started and given the secret to."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it has just ended
    children = {child for child, parent in parents.items() if parent == pid}
    theirs = set(children)
    while more := {child for child, parent in parents.items() if parent in theirs} - theirs:
        theirs |= more
    for process in sorted(theirs - children):
        try:
            environment = Path(f"/proc/{process}/environ").read_bytes()
        except OSError:
            continue
        if found := forms_in(environment, secret):
            yield f"environment of process {process}: {', '.join(found)}"


class Watch:
    """The pytest plugin: fails the run where the canary is found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for title, text in report.sections:
            if found := forms_in(text.encode("utf-8", "replace")):
                self.found.append(f"{report.nodeid}, {title}: {', '.join(found)}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        factory = getattr(session.config, "_tmp_path_factory", None)
        if factory is not None and factory._basetemp is not None:
            self.found += forms_in_files(factory.getbasetemp())
        self.found += forms_in_descendants(os.getpid())
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.found:
            terminalreporter.section("the key was found", red=True)
            for line in self.found:
                terminalreporter.line(line)
