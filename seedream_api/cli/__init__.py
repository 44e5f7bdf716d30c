"""The command line: ``python -m seedream_api``. Names, exit codes and JSON fields never change."""

from .main import main

__all__ = ["main"]
