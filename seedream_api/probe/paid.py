"""The part of a probe that pays: one smallest image per family, with a reference as a data URI.

Each image is an ordinary paid request, recorded before it is sent. A refusal costs nothing and is a
finding too: the next try changes what was refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..catalog import Family, Model, compute_pixels, of_family
from ..config.facts import StatedShape
from ..config.settings import Settings, Value
from ..errors import ApiRefused, SeedreamError, TaskFailed
from ..jobs.generate import generate
from ..jobs.results import Result
from ..jobs.session import Session
from ..messages import Text, join_texts
from ..service.link_expiry import link_expiry
from ..service.references import PictureReference, pixels_reference
from ..service.request import Request
from .report import ProbeReport

PROMPT = "A small red circle on a white ground"
_LARGE_SIDE, _SMALL_SIDE = 1024, 64
_MOST_TRIES = 4
_OF_REFERENCE = re.compile(
    r"image_urls?\b|image\[|image ?url|data:|data uri|base64|https? url|image_processing"
)
_OF_TIER = re.compile(r"quality|\bsize\b|resolution|\b\dk\b")
_TOO_LARGE = 413


@dataclass(frozen=True)
class Trial:
    """The image of one family: its model, and the tiers to try, the smallest first."""

    model: Model
    tiers: tuple[str, ...]


def plan_trials(models: Mapping[str, Model], offered: tuple[str, ...] | None) -> list[Trial]:
    """Choose one model per family that takes references; a listed one, if the service lists any."""
    trials: list[Trial] = []
    for family in Family:
        every = (models[name] for name in of_family(models, family))
        known = [model for model in every if model.max_references]
        listed = [model for model in known if model.sent_id in (offered or ())]
        if candidates := listed or ([] if offered else known):
            model = candidates[0]
            tiers = model.allowed_values(family.tier_field)
            smallest = sorted(tiers, key=lambda tier: compute_pixels(tier, "1:1"))[:2]
            trials.append(Trial(model, tuple(smallest)))
    return trials


def with_inline_uploads(settings: Settings) -> Settings:
    """Change settings so that every reference image is sent as a data URI."""
    forced = Value("inline", Text("origin_default"))
    return replace(settings, values={**settings.values, "SEEDREAM_UPLOAD": forced})


async def probe_paid(
    session: Session,
    trials: list[Trial],
    report: ProbeReport,
    *,
    now: Callable[[], float] = time.time,
) -> None:
    """Make the images, and add what they show to the report.

    Args:
        session: one with inline uploads.
        now: returns wall-clock seconds.
    """
    for number, trial in enumerate(trials):
        if not await _Prober(session, trial, report, now).run():
            for left in trials[number + 1 :]:
                question = Text("ask_inline", family=left.model.family.value)
                report.leave_open(question, Text("probe_not_sent"))
            return


class _Prober:
    """Tries one family until an image is made, or nothing is left to change."""

    def __init__(
        self, session: Session, trial: Trial, report: ProbeReport, now: Callable[[], float]
    ) -> None:
        self._session, self._trial, self._report, self._now = session, trial, report, now
        self._side = _LARGE_SIDE
        self._tiers = list(trial.tiers)
        self._tried: dict[str, bool] = {}

    async def run(self) -> bool:
        """Return whether the service responded, so that another image may be asked for."""
        for _ in range(_MOST_TRIES):
            try:
                result = await generate(self._build_request(), self._session)
            except (ApiRefused, TaskFailed) as error:
                if not self._change(error):
                    break
            except SeedreamError as error:
                self._report.charged_images += error.may_have_been_charged
                self._leave_open(error.summary_text, None)
                return False
            else:
                self._learn(result)
                break
        self._report_tiers()
        return True

    def _build_request(self) -> Request:
        request = Request(
            model=self._trial.model.id,
            prompt=PROMPT,
            references=(_draw_noise(self._side),),
            seed=int(self._now()),
        )
        tier = {self._trial.model.family.tier_field: self._tiers[0]} if self._tiers else {}
        return request.model_copy(update=tier)

    def _change(self, error: ApiRefused | TaskFailed) -> bool:
        """Note what was refused, and change it; tell whether another try makes sense."""
        said = f"{getattr(error, 'code', '')} {error.reason}".lower()
        status = error.http_status if isinstance(error, ApiRefused) else 0
        shape = StatedShape(http_status=status, message=error.reason[:200])
        if status == _TOO_LARGE and self._side == _LARGE_SIDE:
            self._report.learn("body_refused", _estimate_body(self._side))
            self._side = _SMALL_SIDE
            return True
        if _OF_REFERENCE.search(said):
            self._settle_inline(False, shape)
            return False
        if self._tiers and _OF_TIER.search(said):
            self._tried[self._tiers.pop(0)] = False
            return bool(self._tiers)
        self._leave_open(error.summary_text, shape)
        return False

    def _learn(self, result: Result) -> None:
        report, family = self._report, self._trial.model.family.value
        report.charged_images += result.charged_images
        if self._tiers:
            self._tried[self._tiers[0]] = True
        self._settle_inline(True, None)
        body = _estimate_body(self._side)
        report.learn("body_accepted", max(body, report.learned.get("body_accepted", 0)))
        refused = report.learned.get("body_refused")
        text = Text("found_body", size=body)
        if refused is not None:
            text = Text("found_body_limit", accepted=body, refused=refused)
        report.settle(Text("ask_body"), text)
        self._learn_life(family, next(iter(result.urls), None))

    def _learn_life(self, family: str, url: str | None) -> None:
        question = Text("ask_life", family=family)
        expires = link_expiry(url, None, self._now()) if url else None
        if expires is None:
            self._report.leave_open(question, Text("found_life_unsigned"))
            return
        life_s = round(expires - self._now())
        if life_s <= 0:  # the clocks differ
            self._report.leave_open(question, Text("found_life_past"))
            return
        self._report.learn("link_life_s", {family: life_s})
        self._report.settle(question, Text("found_life", hours=f"{life_s / 3600:.1f}"))

    def _settle_inline(self, accepted: bool, shape: StatedShape | None) -> None:
        family = self._trial.model.family.value
        self._report.learn("inline", {family: accepted})
        answer = Text("yes" if accepted else "no")
        self._report.settle(Text("ask_inline", family=family), answer, shape)

    def _leave_open(self, reason: str, shape: StatedShape | None) -> None:
        family = self._trial.model.family.value
        self._report.leave_open(Text("ask_inline", family=family), reason, shape)

    def _report_tiers(self) -> None:
        if not self._tried:
            return
        model = self._trial.model.id
        self._report.learn("tiers", {model: self._tried})
        accepted = [tier for tier, is_fine in self._tried.items() if is_fine]
        refused = [tier for tier, is_fine in self._tried.items() if not is_fine]
        parts = [Text("found_accepted", tiers=", ".join(accepted))] if accepted else []
        parts += [Text("found_refused", tiers=", ".join(refused))] if refused else []
        self._report.settle(Text("ask_tier", model=model), join_texts(parts))


def _draw_noise(side: int) -> PictureReference:
    """Draw a picture whose file is about as large as its pixels."""
    random = np.random.default_rng(side)
    pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return pixels_reference(pixels, "probe")


def _estimate_body(side: int) -> int:
    """Estimate the bytes of a request with such a picture: three bytes per pixel, as base64."""
    return side * side * 4
