"""The one invariant: paid once, never called free, and what can be read is delivered."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from . import pictures
from .grammar import Case, cases
from .polls import outcomes
from .refusals import FREE, MADE, Verdict, verdict
from .trial import Bench, Run, Trial
from .wire import LIKE_BASE, NUMBER, render

_TAGS = re.compile(r"<(?:!doctype|html|head|body|title|h1)\b", re.IGNORECASE)


_KNOWN = {number: pictures.whole(number) for number in range(pictures.COUNT)}


class Broken(AssertionError):
    """What the invariant forbids."""


def check(case: Case, trial: Trial) -> Verdict:
    """Raise :class:`Broken` where a trial breaks the invariant; return the verdict on its POST."""
    fidelity = render(case.post, base=LIKE_BASE).fidelity
    expected = verdict(case.post, case.facts, fidelity)
    allowed, poll_images = set(expected.outcomes), tuple[int, ...]()
    if expected.by_poll:
        by_poll, poll_images = outcomes(case.polls)
        allowed |= by_poll
    has_own = case.facts.has_image and not expected.must_poll
    needed = expected.images or (() if has_own else poll_images)
    told = f"HTTP {case.post.status}, {fidelity.name}, allowed: {sorted(allowed)}\n{trial}"
    for run in trial.runs:
        _require(run.outcome in allowed, f"{run.outcome} is not allowed", told)
        _check_images(run, needed, told)
        is_once = not (case.facts.has_image and trial.polled)
        is_twice = len(set(run.images)) < len(run.images)
        _require(not (is_once and is_twice), "an image was delivered twice", told)
        text = "" if run.error is None else str(run.error)
        _require(not _TAGS.search(text), "a message quotes an HTML page with its tags", told)
        is_called_free = "othing was charged" in text or "未产生费用" in text
        _require(run.outcome == FREE or not is_called_free, "a message calls it free", told)
    _check_posts(expected, allowed, trial, told)
    if expected.must_poll:
        task_id = str(case.facts.task_id).replace(NUMBER, "")
        _require(task_id in trial.polled, f"task {task_id} was never polled", told)
    return expected


def _check_images(run: Run, needed: tuple[int, ...], told: str) -> None:
    if run.outcome != MADE:
        return
    _require(bool(run.images), "made, and no image", told)
    # Bytes that follow an image's own end do no harm, and may be cut off.
    missing = [
        number
        for number in needed
        if not any(image.startswith(_KNOWN[number]) for image in run.images)
    ]
    _require(not missing, f"images {missing} were left behind", told)
    is_known = all(image.startswith(tuple(_KNOWN.values())) for image in run.images)
    _require(is_known, "an image was delivered that was never made", told)


def _check_posts(expected: Verdict, allowed: set[str], trial: Trial, told: str) -> None:
    if FREE not in allowed:
        _require(trial.posts <= 1, "paid more than once", told)
        return
    before: Run | None = None
    for run in trial.runs:
        is_new = before is None or before.outcome == FREE
        most = 1 if is_new and not expected.may_repeat else 0 if not is_new else 1_000
        if not expected.by_poll:
            _require(run.posts >= 1 or not is_new, "a refused request was not sent again", told)
            _require(run.posts <= most, "sent again after an outcome that is not free", told)
        before = run
    free = sum(run.outcome == FREE for run in trial.runs)
    if expected.by_poll and not expected.may_repeat:
        _require(trial.posts <= 1 + free, "paid more than once", told)


def _require(holds: bool, what: str, told: str) -> None:
    if not holds:
        raise Broken(f"{what}\n{told}")


def _kind(error: Broken) -> str:
    """What was broken, without the numbers and ids of one case."""
    what, where = str(error).split("\n")[:2]
    what = re.sub(r"images \[.*?\]", "images", re.sub(r"task .* was", "a task was", what))
    return f"{what} (HTTP {where[5]}xx, {where.partition(', ')[2]})"


@dataclass
class Figures:
    """What many cases came to.

    Args:
        seen: by what was expected and what came of the first run.
        broken: by what was broken, the first case of each; filled only where all cases are tried.
    """

    seen: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=dict)


def examine(
    bench: Bench,
    *,
    examples: int,
    number: int,
    families: tuple[str, ...],
    try_all: bool = False,
) -> Figures:
    """Try ``examples`` cases out of seed ``number``.

    Args:
        try_all: collect what is broken instead of shrinking the first case that is.

    Raises:
        Broken: with the smallest case that Hypothesis found, unless ``try_all``.
    """
    figures = Figures()

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.generate,) if try_all else (Phase.generate, Phase.shrink),
        suppress_health_check=tuple(HealthCheck),
    )
    @given(cases(families))
    def one(case: Case) -> None:
        trial = bench.run(case.family, case.script)
        try:
            expected = check(case, trial)
        except Broken as error:
            if not try_all:
                raise
            figures.broken.setdefault(_kind(error), []).append(f"{case}\n{error}")
        else:
            wanted = " or ".join(sorted(expected.outcomes)) or "as the poll says"
            figures.seen[f"{wanted}: {trial.runs[0].outcome}"] += 1

    one()
    return figures
