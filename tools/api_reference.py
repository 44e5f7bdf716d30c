"""Make the reference of the client's public names: ``python tools/api_reference.py [FOLDER]``.

Writes HTML pages, by default into ``docs/api``, which git ignores. Needs pdoc, which is in
``.dev/env``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("seedream_api", "seedream_api.errors", "seedream_api.sync")


def write_reference(folder: Path) -> None:
    """Write the pages.

    Raises:
        subprocess.CalledProcessError: pdoc failed.
    """
    options = ("--docformat", "google", "--output-directory", folder)
    subprocess.run([sys.executable, "-m", "pdoc", *options, *MODULES], cwd=ROOT, check=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs" / "api"
    write_reference(target)
    print(target / "index.html")
