"""Read a secret without showing it: from a hidden prompt, or from stdin."""

from __future__ import annotations

import getpass
import sys


def read_secret(prompt: str) -> str:
    """Ask on a terminal without an echo, or read the first line of stdin.

    Secrets are never read from the arguments, which other users of the machine can list.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass(f"{prompt} ", stream=sys.stderr).strip()
    return (sys.stdin.readline() if sys.stdin is not None else "").strip()
