"""Build the published archive, byte for byte the same each time: ``python tools/pack.py [FILE]``.

What is in it is what the Registry's own tool takes: files that git tracks, without those that
``.comfyignore`` names. Their contents come from git, so that neither line endings nor changes of
this checkout get in. Prints the archive's SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can name
MODE = 0o644


def git(*arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, input=given, capture_output=True)
    if done.returncode:
        sys.exit(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def tracked(*options: str) -> set[str]:
    return {name.decode() for name in git("ls-files", "-z", *options).split(b"\0") if name}


def published() -> list[str]:
    """The paths of the archive, sorted."""
    ignored = tracked("--cached", "--ignored", "--exclude-from=.comfyignore")
    return sorted(tracked() - ignored)


def contents(names: list[str]) -> list[bytes]:
    """What git's index holds of each."""
    answer = git("cat-file", "--batch", given="".join(f":{name}\n" for name in names).encode())
    found: list[bytes] = []
    at = 0
    for name in names:
        head = re.compile(rb"[0-9a-f]+ blob (\d+)\n").match(answer, at)
        if head is None:
            sys.exit(f"git has no {name}")
        size = int(head[1])
        found.append(answer[head.end() : head.end() + size])
        at = head.end() + size + 1
    return found


def pack(target: Path) -> str:
    """Write the archive; gives its SHA-256 in hexadecimal."""
    names = published()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in zip(names, contents(names), strict=True):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.create_system = 3  # Unix, on every system
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    file = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist" / f"seedream-{version()}.zip"
    print(f"{pack(file)}  {file}")
