"""Every fault of the service during a paid request or after it, and how each ends.

One table for the library, the command line (``integration/``) and the nodes (``comfyui/``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from seedream_api.errors import Charge
from support.fake_service import (
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    ExpiredLink,
    Fault,
    Json,
    Oversized,
    PartialGroup,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    no_channel,
    rate_limited,
)

MODELS = {"preferential": "Seedream-5.0-Lite-Preferential", "evolink": "Seedream-4.0"}
PROMPT = "2 images of a cat"


@dataclass(frozen=True)
class End:
    """How a run ends, and how the same inputs end afterwards without a fault.

    Args:
        state: of the entry in the record.
        code: the exit code.
        charge: what the message says about money; of a success, whether something was charged.
        later: ``sent`` again, the ``same`` outcome, or the images ``fetched`` and nothing sent.
    """

    state: str
    code: int
    status: str
    charge: Charge
    later: Literal["sent", "same", "fetched"]


COMPLETED = End("completed", 0, "completed", Charge.POSSIBLE, "same")
PARTIAL = End("partial", 0, "partial", Charge.POSSIBLE, "same")
REFUSED = End("refused", 3, "refused", Charge.NONE, "sent")
FAILED = End("failed", 3, "failed", Charge.NONE, "sent")
UNKNOWN = End("unknown", 4, "unknown", Charge.POSSIBLE, "same")
EMPTY = End("empty", 3, "failed", Charge.POSSIBLE, "same")
UNFETCHED = End("answered", 1, "error", Charge.PAID, "fetched")
GONE = End("accepted", 3, "failed", Charge.POSSIBLE, "fetched")
NOT_MINE = End("accepted", 3, "refused", Charge.POSSIBLE, "fetched")
BLIND = End("accepted", 1, "error", Charge.RUNNING, "fetched")


@dataclass(frozen=True)
class Case:
    """A fault, how often it befalls, and how that ends with each family.

    Args:
        preferential, evolink: ``None`` where the family never asks there.
        sent: how many generation requests the service sees.
        slow: the retries take minutes on a real clock: not for a front whose clock is real.
        real: what stands for the fault there, where it needs a limit or a pause made small.
    """

    name: str
    route: str
    fault: Fault
    preferential: End | None
    evolink: End | None
    sent: int = 1
    times: int = 1
    slow: bool = False
    real: Fault | None = None


def paid(name: str, fault: Fault, end: End, evolink: End | None = None, **more: Any) -> Case:
    """A fault of the generation request."""
    return Case(name, "generate", fault, end, evolink or end, **more)


def polled(name: str, fault: Fault, end: End, **more: Any) -> Case:
    """A fault of a poll of the task."""
    return Case(f"task: {name}", "task", fault, None, end, **more)


def fetched(name: str, fault: Fault, end: End, evolink: End | None = None, **more: Any) -> Case:
    """A fault of the download of an image."""
    return Case(f"image: {name}", "image", fault, end, evolink or end, **more)


def error(code: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": "new_api_error", "param": "", "code": code}}


def soon(fault: Status) -> Status:
    """This refusal, with the word that one may come again at once."""
    return Status(fault.code, fault.body, {"Retry-After": "0.01"})


SHORT_ANSWER = 100_000
"""The longest response that is read where the limit is made small."""
ELSEWHERE = "http://127.0.0.1:9/v1/images/generations"

CASES = (
    # Refused: any 4xx but 408, a 200 with an error and no image, a 5xx with a known refusal code.
    *(paid(str(code), Status(code), REFUSED) for code in (400, 401, 402, 403, 404, 413, 451)),
    paid("400 html", Status(400, "<h1>Bad request</h1>"), REFUSED),
    paid("429 of a quota", Status(429, error("insufficient_quota")), REFUSED),
    paid("429 for too long", rate_limited(100), REFUSED, sent=2, times=9, slow=True),
    paid("429 for longer than anybody waits", rate_limited(290), REFUSED),
    paid("429 once", rate_limited(), COMPLETED, sent=2, real=soon(rate_limited())),
    paid("no channel", no_channel(), REFUSED, sent=3, times=9, real=soon(no_channel())),
    paid("no channel once", no_channel(), COMPLETED, sent=2, real=soon(no_channel())),
    paid("500 of the word filter", Status(500, error("sensitive_words_detected")), REFUSED),
    paid("200 with an error", Json(error("", "not today")), REFUSED),
    paid("200 without success", Json({"success": False, "message": "not today"}), REFUSED),
    paid("200 with failed images only", Json({"data": [error("")]}), REFUSED),
    # Unknown: everything else after the first byte.
    *(paid(str(code), Status(code), UNKNOWN) for code in (408, 500, 502, 503, 504, 524)),
    paid("504 after it was charged", Status(504, "<h1>Timeout</h1>", charged=True), UNKNOWN),
    paid("reset", DropBeforeReceipt(), UNKNOWN, sent=0),
    paid("cut", DropAfterReceipt(), UNKNOWN),
    paid("nothing of the answer", Truncated(0.0), UNKNOWN),
    paid("a login page", WrongType(charged=True), UNKNOWN),
    paid("no known shape", Json({"ok": True}), UNKNOWN),
    paid("a list", Json([1]), UNKNOWN),
    paid("redirect", RedirectTo(ELSEWHERE, 307), REFUSED),
    # A task id in a truncated response is found again by a free poll.
    paid("half the answer", Truncated(0.5), UNKNOWN, COMPLETED),
    paid(
        "too long an answer",
        Oversized(2 * SHORT_ANSWER),
        COMPLETED,
        COMPLETED,
        real=Oversized(300_000_000, "gzip"),
    ),
    # Complete responses.
    paid("no image", EmptyCompleted(), EMPTY),
    paid("no image at once", Json({"data": []}), EMPTY),
    paid("a part of the group", PartialGroup((0,)), REFUSED, PARTIAL),
    paid("late", Delay(0.02), COMPLETED),
    paid("dripping", SlowDrip(60, 0.001), COMPLETED),
    # The task is looked at: blips are survived.
    polled("502", Status(502, "<h1>Bad gateway</h1>"), COMPLETED),
    polled("429", rate_limited(0.01), COMPLETED),
    polled("not known yet", Status(404), COMPLETED),
    polled("not known any more", Status(404), GONE, times=1000, slow=True),
    polled("another key's", Status(401), NOT_MINE),
    polled("away for too long", Status(502), BLIND, times=1000, slow=True),
    polled("cut", DropAfterReceipt(), COMPLETED),
    polled("reset", DropBeforeReceipt(), COMPLETED),
    polled("half the answer", Truncated(), COMPLETED),
    polled("a login page", WrongType(), COMPLETED),
    polled("a word that nobody knows", Json({"id": "x", "status": "somehow"}), COMPLETED),
    polled("redirect", RedirectTo("http://127.0.0.1:9/"), COMPLETED),
    polled("late", Delay(0.02), COMPLETED),
    polled("no image", EmptyCompleted(), EMPTY),
    polled("a part of the group", PartialGroup((0,)), PARTIAL),
    # An image is fetched: where there is a task, it gives a new URL for an expired one.
    fetched("500", Status(500), COMPLETED),
    fetched("429", rate_limited(0.01), COMPLETED),
    fetched("cut", DropAfterReceipt(), COMPLETED),
    fetched("reset", DropBeforeReceipt(), COMPLETED),
    fetched("half of it", Truncated(), COMPLETED),
    fetched("late", Delay(0.02), COMPLETED),
    fetched("dripping", SlowDrip(2_000, 0.001), COMPLETED),
    fetched("expired", ExpiredLink(), COMPLETED),
    fetched("expired for good", ExpiredLink(404), UNFETCHED, times=1000),
    fetched("too long", Oversized(300_000_000, "length"), UNFETCHED, times=2),
    fetched("a login page", WrongType(), COMPLETED, times=2),
    fetched("away for too long", Status(500), UNFETCHED, times=1000, slow=True),
)


def each(*, is_real: bool) -> list[tuple[Case, str]]:
    """Every case with every family that it befalls, for a front whose time is real or made up."""
    return [
        (case, family) for case in CASES for family in MODELS
        if getattr(case, family) is not None and not (is_real and case.slow)
    ]  # fmt: skip


def name_of(value: object) -> str:
    return value.name if isinstance(value, Case) else str(value)
