"""Run tests against a mutant, each time in a new forked process. Needs ``fork``."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from mutants import Mutant, Source

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def preload() -> None:
    """What every child would import: everything but this project."""
    for name in ("httpx", "httpcore", "pydantic", "PIL.Image", "numpy", "hypothesis.strategies",
                 "pytest", "asyncio", "sqlite3", "anyio._backends._asyncio"):  # fmt: skip
        importlib.import_module(name)


def load_instead(path: Path, code: CodeType) -> None:
    """From now on the module at ``path`` is this code."""
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, name: str) -> Any:
        return code if Path(self.path) == path else real(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def run_tests(arguments: list[str], *plugins: object) -> int:
    """pytest in this process; nothing of it is shown."""
    import hypothesis
    import pytest

    hypothesis.settings.register_profile("mutation", max_examples=25, database=None)
    hypothesis.settings.load_profile("mutation")
    with open(os.environ.get("MUTATION_OUT", os.devnull), "w") as nothing:  # noqa: PTH123
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)
    # A mutant often forgets to close something: noticed by a warning, which is not reliable.
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    options += ["-p", "no:threadexception", "-W", "ignore::ResourceWarning", f"--rootdir={ROOT}"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # preloaded on purpose
    return int(pytest.main([*options, *arguments], plugins=list(plugins)))


@dataclass
class Child:
    """A forked process that runs tests; its exit code is pytest's."""

    pid: int
    ends: float

    @classmethod
    def fork(cls, work: Callable[[], int], seconds: float) -> Child:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            code = 70
            try:
                code = work()
            except BaseException:  # noqa: BLE001 - a child must not continue as its parent
                traceback.print_exc()
            os._exit(code)
        return cls(pid, time.monotonic() + seconds)

    def poll(self) -> int | None:
        """The exit code, -1 where time is up, ``None`` while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() < self.ends:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return -1

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code


class LineTracer:
    """A pytest plugin that records which test executes which line of one file, and its time."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lines: set[int] = set()
        self.tests: dict[str, tuple[float, list[int]]] = {}

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self._path:
            return None
        self._lines.add(frame.f_lineno)
        return self._trace

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self._lines = set()
        self._begun = time.perf_counter()
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        self.tests[nodeid] = (time.perf_counter() - self._begun, sorted(self._lines))


Tests = dict[str, tuple[float, list[int]]]
"""By name, quickest first: the seconds that a test takes, and the lines that it executes."""


class Collected:
    """A pytest plugin that, in place of running what was collected, does some ``work`` with it.

    Tests are collected and the package is loaded once; every run is a fork of that.
    """

    def __init__(self, source: Source, work: Callable[[Collected], None]) -> None:
        self._source, self._work = source, work

    def pytest_runtestloop(self, session: Any) -> bool:
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        for name in ("sandbox", "jobs.session", "jobs.generate", "cli", self._source.module):
            importlib.import_module(f"seedream_api.{name}")
        self._functions = _functions(sys.modules[f"seedream_api.{self._source.module}"])
        self._work(self)
        return True

    def trace(self, folder: Path) -> Tests:
        """Run all.

        Raises:
            SystemExit: a test fails without any mutant.
        """
        told = folder / "traced.json"

        def work() -> int:
            plugin = LineTracer(self._source.path)
            self._session.config.pluginmanager.register(plugin)
            code = self.run(list(self._items), folder / "base")
            told.write_text(json.dumps(plugin.tests))
            return code

        if Child.fork(work, 900).wait() != 0:
            raise SystemExit(f"the tests of {self._source.module} fail without a mutant")
        tests = json.loads(told.read_text())
        return dict(sorted(tests.items(), key=lambda one: one[1][0]))

    def can_change(self, mutant: Mutant) -> bool:
        """Whether the change lies within functions that are loaded already."""
        changed = self._source.changed(mutant)
        return bool(changed) and all(
            name in self._functions
            and self._functions[name].__code__.co_freevars == code.co_freevars
            for name, code in changed.items()
        )

    def change(self, mutant: Mutant) -> None:
        """From now on these functions are the mutant's, also where others hold them."""
        for name, code in self._source.changed(mutant).items():
            self._functions[name].__code__ = code
        load_instead(self._source.path, self._source.code(mutant))  # for who loads it once more

    def run(self, names: list[str], folder: Path) -> int:
        """Run these tests in this process until one fails: 1."""
        config = self._session.config
        config._tmp_path_factory._given_basetemp = folder
        items = [self._items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                return 1
        return 0


def _functions(module: ModuleType) -> dict[str, FunctionType]:
    """A loaded module's functions and methods, by the names that ``Source.changed`` gives."""
    classes = [one for one in vars(module).values() if isinstance(one, type)]
    found: dict[str, FunctionType] = {}
    for holder in (module, *(one for one in classes if one.__module__ == module.__name__)):
        for value in vars(holder).values():
            value = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if callable(value):
                value = inspect.unwrap(value)
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                found[value.__qualname__] = value
    return found


@dataclass
class Trial:
    """One mutant in front of its tests.

    Args:
        batches: of tests, in order, each with the seconds after which it counts as failed.
        run: makes a forked process the mutant's and runs a batch there; its exit code.
    """

    mutant: Mutant
    batches: list[tuple[list[str], float]]
    run: Callable[[list[str]], int]
    child: Child | None = None

    def step(self) -> bool | None:
        """Whether it was killed; ``None`` while that is not known."""
        if self.child is not None:
            code = self.child.poll()
            if code is None:
                return None
            if code not in (0, 5):  # 5: pytest found none of these tests
                return True
        if not self.batches:
            return False
        batch, seconds = self.batches.pop(0)
        self.child = Child.fork(lambda: self.run(batch), seconds)
        return None


def reloaded(source: Source, mutant: Mutant, folder: Path) -> Callable[[list[str]], int]:
    """For changes beside functions: pytest begins with nothing loaded, and loads the mutant."""

    def run(batch: list[str]) -> int:
        load_instead(source.path, source.code(mutant))
        return run_tests([f"--basetemp={folder}", *batch])

    return run
