"""What polls of a task say: status words, results, errors, and what has to come of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from . import entries, shapes
from .facts import Content, Facts, as_object
from .refusals import FAILING_WORDS, FREE, MADE, POSSIBLE
from .shapes import RUNNING_WORDS
from .wire import LIKE_BASE, Fidelity, Spec, render

DONE_WORDS = ("completed", "COMPLETED", "success", "SUCCESS", "succeeded", "Completed")
ENDING_WORDS = ("TIMEOUT", "moderated", "blocked", "content_filtered", "expired_by_policy")
"""Words that no document lists: with an error beside them they end a task."""
UNKNOWN_WORDS = ("rendering", "half done", "UNKNOWN", "upscaling", "审核中")
ERRORS = (
    {"error": {"message": "error description", "type": "server_error"}},
    {"error": {"code": "content_policy_violation", "message": "blocked", "type": "task_error"}},
    {"error": "the prompt was refused"},
    {"error": {"code": "generation_failed_no_content", "message": "no image was made"}},
)


@dataclass(frozen=True)
class Poll:
    """One poll's response, and what it does to the task.

    Args:
        effect: ``continue``, ``made``, ``empty``, ``failed`` or ``unclear``.
        images: what ``made`` has to deliver.
    """

    spec: Spec
    effect: str
    images: tuple[int, ...] = ()

    @property
    def may_be_all(self) -> bool:
        """Whether its first images may be all there are: nothing says that the task still runs."""
        document = as_object(self.spec.document) or {}
        return "output" in document and document.get("status") in UNKNOWN_WORDS


@st.composite
def done(draw: st.DrawFn) -> tuple[Content, str]:
    """A finished task; an entry that cannot be read leaves it finished."""
    found = draw(shapes.placed(st.one_of(entries.whole_entries(), entries.entries())))
    document, facts = found.fields, found.facts
    word = draw(st.sampled_from((*DONE_WORDS, None)))
    if document is None:
        return found, "unclear"
    if word is not None:
        inner = document.get("data") if "code" in document or "success" in document else None
        target = as_object(inner) or document
        target["status"] = word
    if facts.images:
        return replace(found, facts=replace(facts, word=word)), "made"
    is_unreadable = facts.unreadable and not facts.is_in_odd_place
    is_all_errors = facts.entry_errors and not (facts.odd_images or is_unreadable)
    if is_all_errors:
        return found, "perhaps failed"
    if facts.odd_images or facts.entry_errors or word is None:
        return found, "unclear"
    return found, "empty"


@st.composite
def running(draw: st.DrawFn) -> tuple[Content, str]:
    """A task under way, perhaps with its first images."""
    word = draw(st.sampled_from((*RUNNING_WORDS, *UNKNOWN_WORDS)))
    document: dict[str, Any] = {
        "id": "task-1",
        "status": word,
        "progress": draw(st.sampled_from((0, 50, "50%"))),
    }
    if word in RUNNING_WORDS and draw(st.integers(0, 3)) == 3:
        document["error"] = {"message": "retrying upstream"}
    if draw(st.booleans()):
        first = entries.image_forms(0)["url"]
        document["output"] = {"data": [first]}
        return Content(document, Facts(odd_images=(0,), word=word)), "continue"
    return Content(document, Facts(word=word)), "continue"


@st.composite
def failed(draw: st.DrawFn) -> tuple[Content, str]:
    """A task that the service gave up: a failing word, or an error beside an unknown one."""
    word = draw(st.sampled_from((*FAILING_WORDS, *ENDING_WORDS)))
    document: dict[str, Any] = {"id": "task-1", "status": word, "created_at": 1769263230}
    if word in ENDING_WORDS or draw(st.booleans()):
        document.update(draw(st.sampled_from(ERRORS)))
    elif draw(st.booleans()):
        document["fail_reason"] = "no image was made"
    return Content(document, Facts(word=word)), "failed"


@st.composite
def unclear(draw: st.DrawFn) -> tuple[Content, str]:
    """An empty document, no JSON, or an error without a status word."""
    if draw(st.booleans()):
        return draw(shapes.refused()), "error"
    return draw(st.one_of(shapes.nothing(), shapes.texts())), "unclear"


def polls(frames: st.SearchStrategy[Spec]) -> st.SearchStrategy[Poll]:
    """Any poll's response in any frame."""
    said = st.one_of(done(), done(), running(), failed(), unclear())
    return st.builds(_poll, frames, said)


def _poll(frame: Spec, said: tuple[Content, str]) -> Poll:
    content, effect = said
    spec = replace(frame, document=content.document)
    sent = render(spec, base=LIKE_BASE)
    fidelity = sent.fidelity
    if effect == "error":
        # Without a status word it may be an error of the poll: an error status certainly is.
        is_success = 200 <= spec.status < 300
        is_said = fidelity is Fidelity.WHOLE and (is_success or content.facts.word)
        return Poll(spec, "perhaps failed" if is_said else "unclear")
    if spec.status == 200 and fidelity is Fidelity.WHOLE and spec.is_clear:
        return Poll(spec, effect, content.facts.images if effect == "made" else ())
    is_read = fidelity in (Fidelity.WHOLE, Fidelity.READABLE, Fidelity.UNSURE)
    # A failing word that arrived whole is one, whatever is missing after it.
    has_word = f'"status": "{content.facts.word}"'.encode() in sent.data
    is_torn = fidelity in (Fidelity.PARTIAL, Fidelity.HEADLESS)
    is_told = is_read or (is_torn and (has_word or spec.coding != "plain"))
    may_fail = effect in ("failed", "perhaps failed") and is_told
    return Poll(spec, "perhaps failed" if may_fail else "unclear")


def outcomes(script: tuple[Poll, ...]) -> tuple[frozenset[str], tuple[int, ...]]:
    """What may come of a task whose polls say this, the last one for ever; and its images."""
    own = {
        "made": {MADE}, "empty": {POSSIBLE}, "failed": {FREE}, "continue": {POSSIBLE},
        "unclear": {POSSIBLE, MADE}, "perhaps failed": {FREE, POSSIBLE},
    }  # fmt: skip
    allowed: set[str] = set()
    for number, poll in enumerate(script):
        if poll.effect == "continue" and poll.may_be_all:
            allowed |= {MADE}  # where nothing else comes, they are delivered in the end
        if poll.effect == "continue" and number + 1 < len(script):
            continue
        before = frozenset(allowed)
        allowed |= own[poll.effect]
        if poll.effect in ("unclear", "perhaps failed"):
            # The run may end here, or see the next poll.
            allowed |= {POSSIBLE}
            continue
        # Where an earlier poll may have ended it, those images are all there are.
        may_be_over = number > 0 and MADE in before
        return frozenset(allowed), () if may_be_over else poll.images
    return frozenset(allowed), ()
