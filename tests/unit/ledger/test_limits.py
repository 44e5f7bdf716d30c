"""Limits: what counts, in which window, and that a request which does not fit stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from seedream_api.config.limits import Limits, parse_limit
from seedream_api.config.prices import Price
from seedream_api.errors import ApiRefused, LimitReached, OutcomeUnknown, TaskFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation, end_of, start_of
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError
from support.ledger_kit import opened

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ADDRESS = "https://api.deepspaceai.net"
PRICE = Price(Decimal("0.25"), Decimal("0.12"), "CNY")
REFUSED = ApiRefused("refused", http=400, code="", reason="no")
FAILED = TaskFailed("task_failed", task_id="task-1", reason="no")
UNKNOWN = OutcomeUnknown("outcome_unknown_crash", entry=1)


class Clock:
    """Wall-clock time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(request: pytest.FixtureRequest, home: Path, clock: Clock) -> Iterator[SyncLedger]:
    yield from opened(request, home, clock)


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def choose(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


def limits(**texts: str) -> Limits:
    return Limits(**{window: parse_limit(text) for window, text in texts.items()})


def job(name: str, asked: int = 1, address: str = ADDRESS) -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.5", address=address,
        key_fingerprint="print", prompt=name, fields={"quality": "2K"},
        references=("sha256:aa", "sha256:bb"), seed=0, asked=asked,
    )  # fmt: skip


_names = iter(range(10**6))


def send(
    ledger: SyncLedger,
    allowed: Limits,
    *,
    asked: int = 1,
    run: str = "run",
    price: Price | None = PRICE,
    address: str = ADDRESS,
) -> JobRecord:
    row = ledger.claim(job(f"job {next(_names)}", asked, address), "key")
    return ledger.reserve(row.id, Reservation(run, "Seedream-4.5", price, allowed))


def answer(ledger: SyncLedger, row: JobRecord, made: int, failed: int = 0) -> JobRecord:
    urls = [f"https://example.com/{row.id}/{number}.png" for number in range(made)]
    items = [ResultItem(number, url=url) for number, url in enumerate(urls)]
    reason = ServiceError("moderation", "refused")
    items += [ResultItem(made + number, error=reason) for number in range(failed)]
    return ledger.record_response(row.id, tuple(items), {})


# ---- what counts ----


def test_reserve_counts_requested_images_up_to_the_limit(ledger: SyncLedger) -> None:
    send(ledger, limits(day="5"), asked=3)
    with pytest.raises(LimitReached) as caught:
        send(ledger, limits(day="5"), asked=3)
    text = caught.value.message("en")
    assert "SEEDREAM_LIMIT_DAY allows 5 image(s) per day: 3 image(s) already count" in text
    assert "may cost 3 image(s)" in text and "Nothing was charged" in text
    assert (caught.value.exit_code, caught.value.name) == (2, "SEEDREAM_LIMIT_DAY")
    send(ledger, limits(day="5"), asked=2)


def test_reserve_that_does_not_fit_leaves_the_row_as_it_was(ledger: SyncLedger) -> None:
    row = ledger.claim(job("one"), "key")
    with pytest.raises(LimitReached):
        ledger.reserve(row.id, Reservation("run", "Seedream-4.5", PRICE, limits(run="0")))
    with pytest.raises(LimitReached):
        ledger.check_limits(
            Reservation("run", "Seedream-4.5", PRICE, limits(run="0")), 1, sandbox=False
        )
    kept = ledger.get_record(row.id)
    assert (kept.state, kept.sent_at, kept.price, kept.run) == (State.INTENDED, None, None, None)


@pytest.mark.parametrize(
    ("states", "counts"),
    [
        (((State.REFUSED, REFUSED),), 0),
        (((State.ACCEPTED, None), (State.FAILED, FAILED)), 0),
        (((State.INTENDED, None), (State.WITHDRAWN, None)), 0),
        (((State.REFUSED, REFUSED), (State.FORGOTTEN, None)), 0),
        (((State.ACCEPTED, None),), 4),
        (((State.UNKNOWN, UNKNOWN),), 4),
        (((State.UNKNOWN, UNKNOWN), (State.FORGOTTEN, None)), 4),
        (((State.EMPTY, UNKNOWN),), 4),
    ],
)
def test_limit_counts_what_may_have_been_charged(
    ledger: SyncLedger, states: tuple[tuple[State, OutcomeUnknown | None], ...], counts: int
) -> None:
    row = send(ledger, limits(), asked=4)
    for state, error in states:
        ledger.move(row.id, state, error=error)
    [used] = ledger.list_spending(limits(month="9"), "run", sandbox=False)
    assert used.used == counts
    [used] = ledger.list_spending(limits(run="9 CNY"), "run", sandbox=False)
    assert used.used == (PRICE.of(4) if counts else 0)


def test_response_corrects_the_reservation_to_images_made(ledger: SyncLedger) -> None:
    row = answer(ledger, send(ledger, limits(), asked=4), made=2, failed=1)
    [money, images] = [
        ledger.list_spending(limits(day=unit), "run", sandbox=False)[0].used
        for unit in ("9 CNY", "9")
    ]
    assert (money, images) == (Decimal("0.62"), 2)
    assert row.cost.to_json() == {"estimated": "1.12", "charged": "0.62", "currency": "CNY"}


def test_request_sent_again_after_429_is_counted_once(ledger: SyncLedger) -> None:
    row = send(ledger, limits(day="1"))
    ledger.move(row.id, State.INTENDED)
    again = ledger.reserve(row.id, Reservation("run", "Seedream-4.5", PRICE, limits(day="1")))
    assert again.state is State.SENDING
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"))


def test_sandbox_has_its_own_sums(ledger: SyncLedger) -> None:
    send(ledger, limits(day="1"))
    send(ledger, limits(day="1"), address="sandbox")
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"), address="sandbox")


# ---- money ----


def test_money_limit_holds_to_the_last_decimal(ledger: SyncLedger) -> None:
    allowed = limits(month="1.11 CNY")
    for _ in range(3):
        send(ledger, allowed)
    with pytest.raises(LimitReached) as caught:
        send(ledger, limits(month="1.479999 CNY"))
    assert "1.11 CNY already count, and this request may cost 0.37 CNY" in str(caught.value)
    send(ledger, limits(month="1.48 CNY"))


def test_money_limit_refuses_a_model_without_price(ledger: SyncLedger) -> None:
    with pytest.raises(LimitReached, match=r"Seedream-4\.5 has no known price"):
        send(ledger, limits(day="5 CNY"), price=None)
    send(ledger, limits(day="5"), price=None)


def test_money_limit_refuses_another_currency(ledger: SyncLedger) -> None:
    with pytest.raises(LimitReached, match="the price table is in CNY"):
        send(ledger, limits(day="5 USD"))


# ---- windows ----


def test_run_limit_counts_one_run_only(ledger: SyncLedger) -> None:
    send(ledger, limits(run="1"), run="prompt 1")
    send(ledger, limits(run="1"), run="prompt 2")
    with pytest.raises(LimitReached, match="per run"):
        send(ledger, limits(run="1"), run="prompt 1")


def test_day_and_month_begin_at_local_midnight(
    ledger: SyncLedger, clock: Clock, set_zone: Callable[[str], None]
) -> None:
    set_zone("Asia/Shanghai")
    both = limits(day="1", month="2")
    clock.set("2026-11-29 23:59:59")
    send(ledger, both)
    with pytest.raises(LimitReached, match="2026-11-30 00:00"):
        send(ledger, both)
    clock.set("2026-11-30 00:00:00")
    send(ledger, both)
    with pytest.raises(LimitReached, match="per day"):
        send(ledger, both)
    clock.set("2026-11-30 23:59:59")
    with pytest.raises(LimitReached, match="2026-12-01 00:00"):
        send(ledger, limits(month="2"))
    clock.set("2026-12-01 00:00:00")
    send(ledger, both)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29 12:00", 23),
        ("Europe/Berlin", "2026-10-25 02:30", 25),
        ("America/Havana", "2026-11-01 00:30", 25),
        ("Africa/Cairo", "2026-04-24 12:00", 23),
        ("Asia/Shanghai", "2026-11-29 00:00", 24),
    ],
)
def test_day_has_its_length_with_daylight_saving(
    set_zone: Callable[[str], None], zone: str, day: str, hours: int
) -> None:
    set_zone(zone)
    first = datetime.fromisoformat(day)
    for moment in (first.replace(fold=0).timestamp(), first.replace(fold=1).timestamp()):
        start, end = start_of("day", moment), end_of("day", moment)
        assert end - start == hours * 3600
        assert start <= moment < end
        assert start_of("day", start - 1) < start == start_of("day", end - 1)


def test_repeated_hour_does_not_open_the_limit_again(
    ledger: SyncLedger, clock: Clock, set_zone: Callable[[str], None]
) -> None:
    set_zone("America/Havana")
    first = datetime.fromisoformat("2026-11-01 00:30")
    for fold in (0, 1):
        clock.now = first.replace(fold=fold).timestamp()
        if fold == 0:
            send(ledger, limits(day="1"))
        with pytest.raises(LimitReached):
            send(ledger, limits(day="1"))


@pytest.mark.parametrize("jump", [-3600, -86_400, -40 * 86_400])
def test_clock_set_back_does_not_open_the_limit(
    ledger: SyncLedger, clock: Clock, jump: int
) -> None:
    send(ledger, limits(day="1", month="1"))
    clock.now += jump
    for window in ("day", "month"):
        with pytest.raises(LimitReached):
            send(ledger, limits(**{window: "1"}))
    clock.now -= jump
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"))


# ---- cost of one request ----


def test_cost_is_unknown_without_a_price(ledger: SyncLedger) -> None:
    row = send(ledger, limits(), price=None)
    unknown = {"estimated": None, "charged": None, "currency": None}
    assert row.cost.to_json() == unknown
    assert answer(ledger, row, made=1).cost.to_json() == unknown


def test_cost_keeps_the_price_of_when_it_was_sent(ledger: SyncLedger) -> None:
    row = send(ledger, limits(), asked=3)
    assert row.cost.to_json() == {"estimated": "0.87", "charged": None, "currency": "CNY"}
    ledger.move(row.id, State.REFUSED, error=REFUSED)
    refused = ledger.get_record(row.id).cost
    assert refused.to_json() == {"estimated": "0.87", "charged": "0.00", "currency": "CNY"}


def test_cost_of_a_task_of_another_client_is_unknown(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-1", "print")
    assert row.cost.estimated is None
    [used] = ledger.list_spending(limits(day="9"), "run", sandbox=False)
    assert used.used == 0


@pytest.mark.databases("sqlite")
def test_window_is_summed_from_an_index_alone(ledger: SyncLedger) -> None:
    from seedream_api.ledger import statements

    values = {"currency": "CNY", "is_sandbox": False, "since": 0.0, "run": "run"}
    with ledger.database.read():
        plan = ledger.database.execute(f"EXPLAIN QUERY PLAN {statements.SPENT_SINCE}", values)
        assert "COVERING INDEX requests_by_sending" in " ".join(row["detail"] for row in plan)
        plan = ledger.database.execute(f"EXPLAIN QUERY PLAN {statements.SPENT_IN_RUN}", values)
        assert "requests_by_run" in " ".join(row["detail"] for row in plan)
