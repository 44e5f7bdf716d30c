"""The command line in real terminals (tmux): 40 and 80 columns, English and Chinese.

What the terminals showed is kept beside the screenshots, for people to look at.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.api_client import ApiClient, until
from support.paths import PACK_ROOT

TERMINALS = [(columns, language) for columns in (40, 80) for language in ("en_US", "zh_CN")]
PROGRAM = """#!{python}
import sys
sys.path.insert(0, {root!r})
from seedream_api.cli.main import main
sys.exit(main())
"""
ROWS = """prompt,model,name
"A cat on the grass, in the style of an old woodcut, seen from far above",Seedream-4.5,cat
草地上的一只猫，木刻版画风格，从高处俯瞰，远处有山,Seedream-4.0,dog
"""


@dataclass
class Terminal:
    """A tmux session with a shell, in which one command runs at a time."""

    columns: int
    language: str
    folder: Path
    environ: dict[str, str]
    socket: str = field(default_factory=lambda: f"seedream-{uuid.uuid4().hex[:8]}")
    shown: list[str] = field(default_factory=list)

    def tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, "-f", "/dev/null", "-u", *words],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, encoding="utf-8", check=True,
        ).stdout  # fmt: skip

    def start(self, command: str) -> None:
        """Run a command in a new session of this size; its end leaves a mark."""
        names = {**self.environ, "LC_ALL": f"{self.language}.UTF-8"}
        given = " ".join(f"{name}='{value}'" for name, value in names.items())
        line = f'clear; {given} ./{command}; echo "exit $?"; touch ended; exec sleep 600'
        (self.folder / "ended").unlink(missing_ok=True)
        self.tmux(
            "new-session", "-d", "-s", f"s{len(self.shown)}", "-x", str(self.columns), "-y", "90",
            "-c", str(self.folder), f"sh -c {_quote(line)}",
        )  # fmt: skip

    def capture(self, *, joined: bool = False) -> list[str]:
        words = ("-J",) if joined else ()
        text = self.tmux("capture-pane", "-p", "-t", f"s{len(self.shown)}", *words)
        return [line.rstrip() for line in text.rstrip("\n").split("\n")]

    def finish(self, command: str) -> list[str]:
        """Wait for the end of the command, and return the lines that it left."""
        until((self.folder / "ended").exists)
        until(lambda: any(line.startswith("exit ") for line in self.capture()))
        lines, joined = self.capture(), self.capture(joined=True)
        self.keep(command, lines)
        broken = [line for line in joined if line not in lines and " " in line.strip()]
        assert broken == [], f"{command}: the terminal itself had to break these"
        return lines

    def run(self, command: str) -> list[str]:
        self.start(command)
        return self.finish(command)

    def keep(self, command: str, lines: list[str]) -> None:
        self.shown.append("\n".join([f"$ {command}", *lines, ""]))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(params=TERMINALS, ids=lambda one: f"{one[1]}-{one[0]}")
def terminal(
    request: pytest.FixtureRequest, api_client: ApiClient, tmp_path: Path
) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        # CI on Debian installs it (.ci/run); Windows has none.
        assert sys.platform != "linux", "tmux is not installed (apt-get install tmux)"
        pytest.skip("needs tmux")
    columns, language = request.param
    folder = tmp_path / "work"
    folder.mkdir()
    program = folder / "seedream"
    program.write_text(PROGRAM.format(python=sys.executable, root=str(PACK_ROOT)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "rows.csv").write_text(ROWS, "utf-8")
    opened = Terminal(columns, language, folder, api_client.environ)
    yield opened
    subprocess.run(["tmux", "-L", opened.socket, "kill-server"], check=False, capture_output=True)
    kept = Path(os.environ.get("SCREENSHOTS_FOLDER") or PACK_ROOT / ".dev" / "screenshots")
    kept.mkdir(parents=True, exist_ok=True)
    name = f"terminal-{language}-{columns}.txt"
    (kept / name).write_text("\n".join(opened.shown), "utf-8")


def test_commands_fit_the_terminal(terminal: Terminal, api_client: ApiClient) -> None:
    pytest.importorskip("rich")
    usage = "usage:" if terminal.language == "en_US" else "用法："
    assert terminal.run("seedream --help")[-1] == "exit 0"
    assert any(line.startswith(usage) for line in terminal.run("seedream generate --help"))
    wrong = terminal.run("seedream generate --modle Seedream-4.5")
    assert wrong[-1] == "exit 2" and any("--modle" in line for line in wrong)
    batch = terminal.run("seedream batch rows.csv --out pictures")
    assert batch[-1] == "exit 0" and "·" not in "".join(batch), "no progress is left"
    show_progress(terminal, api_client)
    for command in ("tasks", "usage", "config list"):
        assert terminal.run(f"seedream {command}")[-1] == "exit 0", command


def show_progress(terminal: Terminal, client: ApiClient) -> None:
    """A task that runs has one line with a bar; then its line is gone and the path remains."""
    client.sandbox.hold()
    command = 'seedream generate --model Seedream-4.5 --prompt "A hat" --out pictures'
    terminal.start(command)
    until(lambda: client.states[-1] == "sending")
    client.sandbox.release_responses()
    until(lambda: client.states[-1] == "accepted")
    until(lambda: any("━" in line or "─" in line for line in terminal.capture()))
    running = [line for line in terminal.capture() if line]
    client.sandbox.release()
    left = terminal.finish(command)
    terminal.shown.insert(-1, "\n".join([f"$ {command}  # while it runs", *running, ""]))
    assert len(running) == 1, running
    assert left == ["pictures/seedream-3-1.jpg", "exit 0"]
