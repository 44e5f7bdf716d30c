"""Batches: order, back-pressure, failures, and reruns that send exactly what is missing."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seedream_api import ContentRejected, InvalidRequest, Request, generate_all, plan_batch
from seedream_api.ledger.states import State
from support.sample_requests import NOW_5

REFUSED = 7
LINES = "batch.jsonl"


def requests(count: int, **fields: Any) -> list[Request]:
    return [Request(model=NOW_5, prompt=f"cat {n}", **fields) for n in range(count)]


def prompts_sent(api_client: Any) -> list[str]:
    return [post.json["prompt"] for post in api_client.sandbox.posts]


async def take_all(items: Any) -> list[Any]:
    async with aclosing(items):
        return [item async for item in items]


# ---- Python ----


def test_results_come_in_the_order_of_the_requests(api_client: Any) -> None:
    items = api_client.run(lambda session: take_all(generate_all(requests(12), session)))
    assert [item.index for item in items] == list(range(12))
    assert [item.result.prompt for item in items] == [f"cat {n}" for n in range(12)]
    assert api_client.sent == 12


def test_no_more_is_begun_than_the_caller_takes(api_client: Any) -> None:
    taken = list[int]()

    def endless() -> Iterator[Request]:
        for number in range(10_000):
            taken.append(number)
            yield Request(model=NOW_5, prompt=f"cat {number}")

    async def take_one(session: Any) -> None:
        async with aclosing(generate_all(endless(), session)) as items:
            await anext(items)
            for _ in range(200):
                await asyncio.sleep(0)

    api_client.run(take_one, SEEDREAM_MAX_SUBMITS="1")
    assert 1 <= len(taken) <= 17 and api_client.sent <= len(taken)


def test_failed_request_has_its_error_and_no_image(api_client: Any) -> None:
    given = requests(3)
    given[1] = Request(model=NOW_5, prompt="[moderated]")
    items = api_client.run(lambda session: take_all(generate_all(given, session, keep_going=True)))
    assert isinstance(items[1].error, ContentRejected) and items[1].result is None
    assert all(items[n].result.images and items[n].error is None for n in (0, 2))


def test_failure_ends_the_batch_in_its_turn(api_client: Any) -> None:
    given = [Request(model=NOW_5, prompt="cat"), Request(model=NOW_5, prompt="[moderated]"),
             *requests(200)]  # fmt: skip
    seen = list[int]()

    async def run(session: Any) -> None:
        async with aclosing(generate_all(iter(given), session)) as items:
            async for item in items:
                seen.append(item.index)

    with pytest.raises(ContentRejected):
        api_client.run(run, SEEDREAM_MAX_SUBMITS="1")
    assert seen == [0] and api_client.sent < 20


def test_invalid_request_of_a_list_sends_nothing(api_client: Any) -> None:
    given = [*requests(3), Request(model=NOW_5, prompt="cat", size="9K")]
    with pytest.raises(InvalidRequest):
        api_client.run(lambda session: take_all(generate_all(given, session)))
    assert api_client.sent == 0


def test_equal_requests_share_one_charge(api_client: Any) -> None:
    given = [*requests(2), *requests(2)]
    items = api_client.run(lambda session: take_all(generate_all(given, session)))
    assert api_client.sent == 2 and sum(item.result.charged_images for item in items) == 2


def test_plan_counts_what_is_stored_and_the_worst_case(api_client: Any) -> None:
    api_client.generate(model=NOW_5, prompt="cat 0")
    given = [*requests(3), *requests(3), Request(model="Seedream-4.0", prompt="cats", n=4)]
    plan = api_client.run(lambda session: plan_batch(given, session))
    assert (plan.requests, plan.to_send, plan.images) == (4, 3, 6)
    assert plan.known == {State.COMPLETED: 1} and api_client.sent == 1


# ---- the command ----


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def hundred_rows() -> list[dict[str, Any]]:
    refused = range(3, 38, 5)  # all have ended before row 50 has
    return [
        {"prompt": f"[moderated] {n}" if n in refused else f"cat {n}", "model": NOW_5, "seed": n}
        for n in range(100)
    ]


def read_log(out: Path) -> list[dict[str, Any]]:
    path = out / LINES
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def test_killed_batch_sends_exactly_what_is_missing(
    api_client: Any, table: Callable[..., Path], tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    rows, out = hundred_rows(), tmp_path / "out"
    refused = {row["prompt"] for row in rows if "moderated" in row["prompt"]}
    assert len(refused) == REFUSED
    words = ["batch", table(rows), "--out", out, "--keep-going"]
    process = api_client.start(*words)
    wait_until(lambda: (out / LINES).exists() and (out / LINES).read_bytes().count(b"\n") >= 50)
    process.kill()
    process.communicate()
    first = prompts_sent(api_client)
    # An intended row was recorded but not sent: its owner is dead, and the rerun sends it.
    unsent = (State.REFUSED, State.INTENDED)
    done = {row.prompt for row in api_client.rows if row.state not in unsent}
    ran = api_client.inside(*words, "--json")
    second = prompts_sent(api_client)[len(first) :]
    missing = {row["prompt"] for row in rows} - done
    # The sandbox may note a last request of the killed process late.
    assert Counter(p for p in second if p not in done) == Counter(missing), "each once"
    assert ran.code in (3, 4) and ran.json["status"] == "partial"
    entries = ran.json["rows"]
    assert (
        [entry["row"] for entry in entries]
        == list(range(1, 101))
        == [entry["row"] for entry in read_log(out)]
    )
    named = [entry for entry in entries if entry.get("error") == "ContentRejected"]
    assert len(named) == REFUSED and all("ensitive" in entry["reason"] for entry in named)
    # A request that was under way when the process was killed has an unknown outcome.
    unknown = [entry for entry in entries if entry["status"] == "unknown"]
    assert len(unknown) <= 4
    assert sum(bool(entry["images"]) for entry in entries) == 100 - REFUSED - len(unknown)
    assert all(Path(path).exists() for entry in entries for path in entry["images"])
    assert max(Counter(first + second).values()) <= 2
    assert {p for p, count in Counter(first + second).items() if count > 1} <= refused


def test_rerun_of_a_finished_batch_sends_nothing(
    api_client: Any, table: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rows = [{"prompt": f"cat {n}", "model": NOW_5, "name": name} for n, name in enumerate("ab")]
    words = ["batch", table(rows), "--out", out, "--sheet"]
    first = api_client.inside(*words)
    assert first.code == 0 and "2 of 2 rows have images; 0 failed; 2 images charged" in first.out
    assert "row 1: 1 images" in first.err
    files = sorted(path.name for path in out.iterdir())
    assert [Path(name).stem for name in files] == ["a", "b", "batch", "sheet"]
    Image.open(out / "sheet.png").verify()
    again = api_client.inside(*words, "--json")
    assert (again.code, again.json["status"], again.json["charged_images"]) == (0, "completed", 0)
    assert [row["origin"] for row in again.json["rows"]] == ["stored", "stored"]
    assert sorted(path.name for path in out.iterdir()) == files and api_client.sent == 2


def test_dry_run_states_the_total_and_sends_nothing(
    api_client: Any, table: Callable[..., Path], tmp_path: Path
) -> None:
    path = table([{"prompt": f"cats {n}", "model": "Seedream-4.0", "n": 3} for n in range(4)])
    ran = api_client.inside("batch", path, "--out", tmp_path / "out", "--dry-run")
    assert ran.code == 0
    assert ran.out == "4 rows: 0 stored already, 4 to send, at most 12 images charged\n"
    plan = api_client.inside("batch", path, "--out", tmp_path / "out", "--dry-run", "--json").json
    assert plan["status"] == "planned" and plan["plan"]["images"] == 12 and plan["rows"] == []
    assert api_client.sent == 0 and not (tmp_path / "out").exists()


def test_dry_run_states_the_cost_where_prices_are_known(
    api_client: Any, table: Callable[..., Path], tmp_path: Path, home: Path
) -> None:
    home.mkdir(exist_ok=True)
    prices = {"currency": "CNY", "models": {"Seedream-4.0": "0.25"}}
    (home / "prices.json").write_text(json.dumps(prices), "utf-8")
    path = table([{"prompt": f"cats {n}", "model": "Seedream-4.0", "n": 3} for n in range(4)])
    ran = api_client.inside("batch", path, "--dry-run", "--json")
    assert ran.json["cost"] == {"estimated": "3.00", "charged": None, "currency": "CNY"}
    ran = api_client.inside("batch", path, "--dry-run")
    assert "at most 12 images charged, at most 3.00 CNY" in ran.out and api_client.sent == 0


def test_dry_run_states_what_limits_leave(
    api_client: Any, table: Callable[..., Path], tmp_path: Path
) -> None:
    limits = {"SEEDREAM_LIMIT_DAY": "10", "SEEDREAM_LIMIT_RUN": "4 images"}
    made = table([{"prompt": "a cat", "model": "Seedream-4.0", "n": 3}])
    assert api_client.inside("batch", made, "--out", tmp_path / "out", **limits).code == 0
    path = table([{"prompt": f"cats {n}", "model": "Seedream-4.0", "n": 3} for n in range(4)])
    ran = api_client.inside("batch", path, "--dry-run", **limits)
    day = "SEEDREAM_LIMIT_DAY: 9 images of 10 images left"
    assert ran.out.splitlines()[1:] == ["SEEDREAM_LIMIT_RUN: 4 images of 4 images left", day]
    plan = api_client.inside("batch", path, "--dry-run", "--json", **limits).json["plan"]
    assert plan["limits"][1] == {"window": "day", "limit": "10 images", "left": "9"}
    assert api_client.sent == 1


def test_every_mistake_is_named_before_anything_is_sent(
    api_client: Any, table: Callable[..., Path], tmp_path: Path
) -> None:
    good = {"prompt": "cat", "model": NOW_5, "size": "", "ref": ""}
    path = table(
        [good, {**good, "model": "Seedream-9"}, {**good, "size": "9K"}, {**good, "ref": "no.png"}]
    )
    ran = api_client.inside("batch", path, "--out", tmp_path / "out")
    assert ran.code == 2 and api_client.sent == 0 and not (tmp_path / "out").exists()
    for named in ("3 mistakes", "row 2, model:", "row 3, size:", "row 4, ref:", "第 2 行 model："):
        assert named in ran.err
    failed = api_client.inside("batch", path, "--json")
    assert failed.json["status"] == "error" and failed.json["rows"] == []
    assert failed.json["error"]["type"] == "BatchInvalid"


def test_first_failure_stops_without_keep_going(
    api_client: Any, table: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [{"prompt": p, "model": NOW_5} for p in ("cat", "[moderated]", *map(str, range(60)))]
    words = ["batch", table(rows), "--out", tmp_path / "out"]
    ran = api_client.inside(*words, SEEDREAM_MAX_SUBMITS="1")
    assert ran.code == 3 and "row 2: " in ran.out and "Run the same command again" in ran.err
    assert [entry["status"] for entry in read_log(tmp_path / "out")] == ["completed", "refused"]
    assert api_client.sent < 30


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_interrupted_batch_is_resumed(
    api_client: Any, table: Callable[..., Path], tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    out = tmp_path / "out"
    words = ["batch", table([{"prompt": f"cat {n}", "model": NOW_5} for n in range(40)])]
    process = api_client.start(*words, "--out", out, SEEDREAM_MAX_SUBMITS="1")
    wait_until(lambda: len(read_log(out)) >= 3)
    process.send_signal(signal.SIGINT)
    ran = api_client.ended(process)
    assert ran.code == 130 and "Run the same command again" in ran.err, ran
    again = api_client.inside(*words, "--out", out, "--json")
    assert again.code == 0 and again.json["status"] == "completed"
    assert Counter(prompts_sent(api_client)) == Counter(f"cat {n}" for n in range(40))
