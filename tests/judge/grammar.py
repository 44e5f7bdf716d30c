"""Whole cases: a response to the POST and the polls that follow, in every frame."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from .facts import Facts
from .polls import Poll, polls
from .refusals import GATEWAYS, NEVER_REFUSED_4XX, ODD_REDIRECTS, REDIRECTS
from .server import Script
from .shapes import contents
from .wire import BASE, CODINGS, FRAMINGS, SHELLS, Spec, render

FAMILIES = ("preferential", "evolink")
CLIENT_ERRORS = (400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 422, 423, 425, 429, 431,
                 451)  # fmt: skip
SERVER_ERRORS = (500, 503, 501, 505, 507, 599)
SUCCESSES = (200, 200, 200, 201, 202, 203, 206, 299)
CONTENT_TYPES = (
    "application/json", "application/json; charset=utf-8", "application/json; charset=gbk", None,
    "text/html", "text/plain", "text/event-stream", "application/octet-stream", "image/png", "",
)  # fmt: skip


_LONG = re.compile(r"[\w+/=-]{100,}")
"""Base64 that would hide the rest of a case."""


@dataclass(frozen=True, repr=False)
class Case:
    """Everything that the server says to one request."""

    family: str
    post: Spec
    facts: Facts
    polls: tuple[Poll, ...]

    def __repr__(self) -> str:
        polled = "".join(f"\n  poll, {one.effect}: {one.spec}" for one in self.polls)
        text = f"{self.family}: {self.post}\n  {self.facts}{polled}"
        return _LONG.sub(lambda found: f"{found[0][:8]}...{len(found[0])}", text)

    def script(self, base: str) -> Script:
        last = len(self.polls) - 1
        return Script(
            post=lambda number: render(self.post, base=base, number=number),
            poll=lambda number: render(self.polls[min(number, last)].spec, base=base),
        )


def statuses() -> st.SearchStrategy[int]:
    """Successes about half of the time, then every kind of failure."""
    success = st.sampled_from(SUCCESSES)
    return st.one_of(
        success, success, success, success, st.sampled_from(CLIENT_ERRORS),
        st.sampled_from((429, 503)), st.sampled_from((*REDIRECTS, *ODD_REDIRECTS)),
        st.sampled_from(SERVER_ERRORS), st.sampled_from((*GATEWAYS, *NEVER_REFUSED_4XX)),
    )  # fmt: skip


DEVIATIONS = ((), (), (), ("shell",), ("coding",), ("framing",), ("cut",), ("shell", "coding"),
              ("coding", "framing"), ("shell", "coding", "framing", "cut"))  # fmt: skip
"""Which parts of a frame are out of the ordinary, together."""


@st.composite
def frames(draw: st.DrawFn, status: st.SearchStrategy[int]) -> Spec:
    """A response without its document."""
    code = draw(status)
    odd = draw(st.sampled_from(DEVIATIONS))
    cut = draw(st.one_of(st.integers(1, 40), st.integers(1, 100_000))) if "cut" in odd else 0
    return Spec(
        status=code,
        document=None,
        shell=draw(st.sampled_from(tuple(SHELLS))) if "shell" in odd else "plain",
        coding=draw(st.sampled_from(CODINGS)) if "coding" in odd else "plain",
        framing=draw(st.sampled_from(FRAMINGS)) if "framing" in odd else "length",
        content_type=draw(st.sampled_from(CONTENT_TYPES)),
        headers=draw(_headers(code)),
        cut=cut,
        reset=bool(cut) and draw(st.booleans()),
    )


def _headers(status: int) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Those that belong to a status."""
    if 300 <= status < 400:
        places = (BASE + "/v2/images", "/login", "https://example.invalid/v1/images/generations")
        return st.sampled_from([(("Location", place),) for place in places])
    if status in (429, 503):
        return st.sampled_from(((), (("Retry-After", "30"),), (("Retry-After", "soon"),)))
    return st.just(())


def _mostly_ok(others: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    usual = st.just(200)
    return st.one_of(usual, usual, usual, usual, usual, others)


@st.composite
def cases(draw: st.DrawFn, families: tuple[str, ...] = FAMILIES) -> Case:
    """One case."""
    family = draw(st.sampled_from(families))
    content = draw(contents())
    has_result = content.facts.has_image or content.facts.has_id
    status = _mostly_ok(statuses()) if has_result else statuses()
    spec = replace(draw(frames(status)), document=content.document)
    poll = polls(frames(_mostly_ok(statuses())))
    last = draw(poll)
    first: list[Poll] = []
    if content.facts.has_id:
        early = poll.filter(lambda one: one.effect in ("continue", "unclear"))
        first = draw(st.lists(early, max_size=2))
    return Case(family, spec, content.facts, (*first, last))
