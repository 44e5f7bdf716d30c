"""Short forms of what a server returns, for cases that are written down one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import pictures
from .server import Script
from .trial import Bench, Trial
from .wire import BASE, Spec, render


def reply(document: Any, status: int = 200, **frame: Any) -> Spec:
    return Spec(status=status, document=document, **frame)


def completed(*numbers: int) -> Spec:
    """A poll of a finished task with these images."""
    urls = [{"url": BASE + pictures.path(number)} for number in numbers]
    return reply({"id": "task-1", "status": "completed", "output": {"data": urls}})


def ask(
    bench: Bench,
    family: str,
    posts: Spec | Sequence[Spec],
    polls: Spec | Sequence[Spec] = (),
    runs: int = 3,
) -> Trial:
    """Run the same request ``runs`` times; the last response of each list repeats."""
    said = [posts] if isinstance(posts, Spec) else list(posts)
    polled = [polls] if isinstance(polls, Spec) else list(polls) or [reply({}, 404)]

    def make(base: str) -> Script:
        return Script(
            post=lambda n: render(said[min(n, len(said)) - 1], base=base, number=n),
            poll=lambda n: render(polled[min(n, len(polled) - 1)], base=base),
        )

    return bench.run(family, make, runs=runs)


def outcomes(trial: Trial) -> set[str]:
    return {run.outcome for run in trial.runs}


def has_images(trial: Trial, *numbers: int) -> bool:
    """Whether every run gave exactly these images."""
    wanted = sorted(pictures.picture(number) for number in numbers)
    return all(sorted(run.images) == wanted for run in trial.runs)


def error_names(trial: Trial) -> set[str]:
    return {type(run.error).__name__ for run in trial.runs}
