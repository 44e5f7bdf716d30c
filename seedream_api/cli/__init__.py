"""The command line: ``python -m seedream_api``. Names, exit codes and JSON fields never change.

:mod:`.commands` lists the commands and says how to add one. Their modules import what they need
when they run: help, version and completion load neither the HTTP library nor the image library.
"""

from .main import main

__all__ = ["main"]
