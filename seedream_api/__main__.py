"""``python -m seedream_api``, and the same by path: ``python <pack>/seedream_api``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

PACKAGE = "seedream_api"


def _import_by_path() -> None:
    """Make this folder importable as the package it is, whatever the working directory.

    Run by path, Python puts the folder itself on ``sys.path``, where its modules would shadow
    others of the same names.
    """
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    spec = importlib.util.spec_from_file_location(PACKAGE, folder / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    if not __package__:
        _import_by_path()
    from seedream_api.cli import main

    sys.exit(main())
