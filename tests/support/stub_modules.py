"""Start a ComfyUI without the packages that only its model code needs.

``python stub_modules.py <ComfyUI>/main.py ...`` runs that main.py. ComfyUI imports these packages
at the top of modules that no test here calls; installing them would take gigabytes. One that is
installed is used as it is.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

PACKAGES = ("torchvision", "torchaudio", "torchsde", "transformers", "tokenizers", "scipy", "av")


class StubModule(ModuleType):
    """A module in which every public name is an empty class, to subclass or catch."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last finder, so it serves only modules that no other one has found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package = fullname.partition(".")[0]
        if package not in PACKAGES:
            return None
        # A real package that merely lacks this submodule must keep lacking it.
        if package != fullname and not isinstance(sys.modules.get(package), StubModule):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the names are made when asked for."""


def install() -> None:
    if not any(isinstance(finder, StubFinder) for finder in sys.meta_path):
        sys.meta_path.append(StubFinder())


if __name__ == "__main__":
    install()
    # A shell starts background jobs with Ctrl+C ignored, and every child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)  # as if Python had been given main.py itself
    runpy.run_path(sys.argv[0], run_name="__main__")
