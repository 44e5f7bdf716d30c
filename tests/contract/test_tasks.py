"""``tasks``: the record as people see it, and the store that they may prune."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from seedream_api import Request, generate
from seedream_api.sandbox import DropAfterReceipt, ExpiredLink, Json, Status

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
DAY = 86_400.0


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def tasks(customer: Any, *words: object) -> list[dict[str, Any]]:
    ran = customer.inside("tasks", *words, "--json")
    assert ran.code == 0, ran
    return ran.json["tasks"]


# ---- list, resume, forget ----


def test_tasks_lists_resumes_and_forgets(make_sandbox: Any, make_customer: Any, out: Path) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    assert customer.inside("tasks", "--json").json["tasks"] == []
    task_id = customer.generate(wait=False, prompt="A cat on a roof").task_id
    [listed] = customer.inside("tasks", "--json").json["tasks"]
    assert (listed["id"], listed["state"], listed["task_id"]) == (1, "accepted", task_id)
    assert "A cat on a roof" in customer.inside("tasks").out
    customer.sandbox.finish_tasks()
    resumed = customer.inside("tasks", "--resume", "1", "--out", out, "--json")
    assert resumed.code == 0 and list(resumed.json) == ["tasks"]
    assert len(resumed.json["tasks"][0]["images"]) == 1 and len(list(out.iterdir())) == 1
    [listed] = customer.inside("tasks", "--json").json["tasks"]
    assert listed["state"] == "completed" and len(listed["images"]) == 1
    assert customer.inside("tasks", "--forget", task_id).code == 0
    assert customer.inside("tasks", "--json").json["tasks"] == [] and customer.sent == 1


def test_what_is_forgotten_twice_is_not_told_to_be_at_work(customer: Any) -> None:
    customer.generate()
    for _ in (1, 2):
        ran = customer.inside("tasks", "--forget", "1", "--json")
        assert (ran.code, ran.json["tasks"][0]["state"]) == (0, "forgotten")


def test_an_entry_that_is_worked_on_is_not_forgotten(customer: Any) -> None:
    import asyncio

    from seedream_api import Request, generate

    async def road(session: Any) -> Any:
        customer.sandbox.hold()
        work = asyncio.create_task(generate(Request(model=NOW_5, prompt="A cat"), session))
        while not customer.sent:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        ran = await asyncio.to_thread(customer.command, "tasks", "--forget", "1", "--json")
        customer.sandbox.release()
        await work
        return ran

    ran = customer.run(road)
    assert ran.code == 2 and "running process" in ran.json["error"]["message"]
    assert customer.states == ["completed"]


def test_an_entry_without_a_task_id_is_resumed_too(customer: Any, out: Path) -> None:
    customer.sandbox.faults.push("image", Status(500), times=1000)
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json"]
    assert customer.inside(*words).code == 1 and customer.states == ["answered"]
    customer.sandbox.faults.clear()
    resumed = customer.inside("tasks", "--resume", "1", "--out", out, "--json")
    assert resumed.code == 0 and len(list(out.iterdir())) == 1 and customer.sent == 1


# ---- the list ----


def test_the_table_has_a_line_for_every_entry_the_newest_first(customer: Any) -> None:
    customer.generate(prompt="A cat\non two lines", seed=1)
    customer.sandbox.faults.push("generate", Status(400))
    customer.inside("generate", "--model", NOW_5, "--prompt", "一只猫")
    head, newest, oldest, store = customer.inside("tasks").out.splitlines()
    assert head.split() == ["ID", "WHEN", "STATE", "MODEL", "TASK", "PROMPT"]
    assert newest.split()[0] == "2" and "refused" in newest and "一只猫" in newest
    assert oldest.split()[0] == "1" and "completed" in oldest and "A cat on two lines" in oldest
    assert customer.rows[0].task_id in oldest and store.startswith("Store: ")
    assert "There are no entries" in customer.inside("tasks", "--state", "unknown").out


def test_states_can_be_picked(customer: Any) -> None:
    customer.generate(prompt="done")
    for fault, prompt in ((Status(400), "refused"), (Json({"a": 1}), "unknown")):
        customer.sandbox.faults.push("generate", fault)
        customer.inside("generate", "--model", LATER_40, "--prompt", prompt)
    customer.inside("tasks", "--forget", "1")

    def picked(*words: str) -> list[str]:
        return [task["prompt"] for task in tasks(customer, *words)]

    assert picked() == ["unknown", "refused"]
    assert picked("--state", "unknown") == ["unknown"]
    assert picked("--state", "refused", "--state", "forgotten") == ["refused", "done"]
    wrong = customer.inside("tasks", "--state", "lost")
    assert wrong.code == 2 and "lost" in wrong.err


def test_a_long_record_says_that_not_all_of_it_is_listed(
    customer: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.cli.list_commands._LISTED", 2)
    for seed in range(3):
        customer.generate(seed=seed)
    said = customer.inside("tasks").out
    assert "Only the newest 2" in said and "--export" in said
    assert [task["id"] for task in tasks(customer)] == [3, 2]
    assert len(tasks(customer, "--export", out)) == 3


def test_what_may_have_been_charged_is_told_at_every_state(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    customer.generate(prompt="3 images of a cat", n=3, wait=False)
    for fault, prompt in ((Status(400), "refused"), (DropAfterReceipt(), "unknown")):
        customer.sandbox.faults.push("generate", fault)
        customer.inside("generate", "--model", LATER_40, "--prompt", prompt, "--n", "2")

    def told(*words: object) -> dict[int, tuple[str, bool, int]]:
        return {
            task["id"]: (
                task["state"],
                task["may_have_been_charged"],
                task["may_have_been_charged_images"],
            )
            for task in tasks(customer, *words)
        }

    refused, unknown = ("refused", False, 0), ("unknown", True, 2)
    assert told() == {1: ("accepted", True, 3), 2: refused, 3: unknown}
    customer.sandbox.finish_tasks()
    assert customer.inside("tasks", "--resume", "1").code == 0
    assert told()[1] == ("completed", True, 3)
    for entry in (1, 2, 3):
        customer.inside("tasks", "--forget", entry)
    assert told("--state", "forgotten") == {
        1: ("forgotten", True, 3), 2: ("forgotten", False, 0), 3: ("forgotten", True, 2)
    }  # fmt: skip


def test_a_request_that_came_back_unaccepted_was_not_charged(customer: Any) -> None:
    customer.sandbox.faults.push("generate", Status(429), times=100)
    customer.inside("generate", "--model", NOW_5, "--prompt", "A cat")
    [task] = tasks(customer)
    assert (task["state"], task["may_have_been_charged"]) == ("refused", False)


@pytest.mark.parametrize(("model", "hours"), [(NOW_5, 2), (LATER_40, 24)])
def test_how_long_the_links_live_is_told_while_they_are_needed(
    customer: Any, model: str, hours: int
) -> None:
    customer.sandbox.faults.push("image", ExpiredLink(), times=100)
    assert customer.inside("generate", "--model", model, "--prompt", "A cat").code == 1
    [task] = tasks(customer)
    lives = task["images"][0]["url_expires_at"] - customer.rows[0].answered_at
    assert task["state"] == "answered" and lives == pytest.approx(hours * 3600, abs=1)
    assert "(links until about 20" in customer.inside("tasks").out
    customer.sandbox.faults.clear()
    assert customer.inside("tasks", "--resume", "1").code == 0
    assert "links until" not in customer.inside("tasks").out


# ---- export ----


def test_the_whole_record_is_exported_or_some_states_of_it(customer: Any, out: Path) -> None:
    customer.generate(prompt="一只猫")
    customer.generate(prompt="A dog")
    customer.inside("tasks", "--forget", "1")
    ran = customer.inside("tasks", "--export", out)
    assert ran.code == 0 and "2 entries" in ran.out and str(out) in ran.out
    written = json.loads(out.read_text("utf-8"))["tasks"]
    assert [task["prompt"] for task in written] == ["A dog", "一只猫"]
    assert written == tasks(customer, "--export", out)
    [kept] = tasks(customer, "--export", out, "--state", "forgotten")
    assert kept["prompt"] == "一只猫" and json.loads(out.read_text("utf-8"))["tasks"] == [kept]
    key = customer.environ["DEEPSPACE_API_KEY"]
    assert key not in out.read_text("utf-8")


def test_an_export_that_cannot_be_written_says_so(customer: Any, tmp_path: Path) -> None:
    ran = customer.inside("tasks", "--export", tmp_path / "none" / "file", "--json")
    assert ran.code == 1 and ran.json["error"]["type"] == "LedgerFailed"


# ---- the store ----


def generated(customer: Any, prompt: str, age_s: float = 0.0, **fields: Any) -> list[Path]:
    """The stored files of a request that was delivered so long ago."""
    customer.clock.at = time.time() - age_s
    result = customer.generate(prompt=prompt, **fields)
    return [image.path for image in result.images]


def undelivered(customer: Any, entry: int) -> None:
    with sqlite3.connect(customer.home / "ledger.sqlite") as db:
        db.execute("UPDATE requests SET delivered_at = NULL WHERE id = ?", (entry,))
    db.close()


def test_the_sizes_of_the_store(customer: Any) -> None:
    prompt = "2 images of a cat"  # with another seed the sandbox draws the same: one file each
    files = {path for seed in (1, 2) for path in generated(customer, prompt, seed=seed, n=2)}
    assert len(files) == 2
    size = sum(path.stat().st_size for path in files)
    ran = customer.inside("tasks", "--json", SEEDREAM_STORE_GB="3")
    assert ran.json["store"] == {
        "bytes": size, "limit_bytes": 3_000_000_000, "path": str(customer.home)
    }  # fmt: skip
    assert f"Store: {size / 1e6:.1f} MB of 3 GB" in customer.inside(
        "tasks", SEEDREAM_STORE_GB="3"
    ).out  # fmt: skip


def test_pruning_by_age_takes_old_delivered_images_only(customer: Any) -> None:
    [old] = generated(customer, "old", 40 * DAY)
    [younger] = generated(customer, "younger", 20 * DAY)
    [never] = generated(customer, "never delivered", 40 * DAY)
    undelivered(customer, 3)
    ran = customer.inside("tasks", "--prune", "--older-than", "30", "--json")
    assert ran.code == 0 and ran.json["pruned"]["images"] == 1 and ran.json["pruned"]["bytes"] > 0
    assert not old.exists() and younger.exists() and never.exists()
    assert len(ran.json["tasks"]) == 3  # rows stay
    said = customer.inside("tasks", "--prune", "--older-than", "10").out
    assert "1 images" in said and not younger.exists() and never.exists()
    # A pruned result is fetched again, and not paid for again.
    assert generated(customer, "old") == [old] and old.exists() and customer.sent == 3


@pytest.mark.parametrize("ahead", [2 * DAY, 400 * DAY])
def test_prune_removes_images_of_a_clock_that_was_ahead(customer: Any, ahead: float) -> None:
    [early] = generated(customer, "delivered while the clock was ahead", -ahead)
    [fresh] = generated(customer, "delivered now")
    ran = customer.inside("tasks", "--prune", "--keep-gb", "0", "--json")
    assert ran.json["pruned"]["images"] == 1 and not early.exists() and fresh.exists()
    assert customer.generate(prompt="delivered while the clock was ahead").images
    assert early.exists() and customer.sent == 2


def test_prune_removes_orphans_dated_ahead(customer: Any) -> None:
    [known] = generated(customer, "known")
    orphan = known.with_name("orphan.png")
    orphan.write_bytes(b"x")
    os.utime(orphan, (customer.clock() + 400 * DAY,) * 2)
    assert customer.inside("tasks", "--prune", "--json").code == 0
    assert known.exists() and not orphan.exists()


def test_pruning_by_size_takes_the_longest_delivered_first(customer: Any) -> None:
    files = [generated(customer, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    size = sum(path.stat().st_size for path in files)
    keep = (size - 1) / 1e9
    ran = customer.inside("tasks", "--prune", "--keep-gb", f"{keep:.9f}", "--json")
    assert [path.exists() for path in files] == [True, False, True]
    assert ran.json["store"]["bytes"] == size - ran.json["pruned"]["bytes"]
    customer.inside("tasks", "--prune", "--keep-gb", f"{files[0].stat().st_size / 1e9:.9f}")
    assert [path.exists() for path in files] == [True, False, False]


def test_pruning_spares_what_is_unfinished_or_just_delivered(customer: Any) -> None:
    customer.sandbox.faults.push("image", ExpiredLink(410), times=3)
    [part] = generated(customer, "2 images of a cat", 40 * DAY, n=2)
    assert customer.states == ["answered"]  # the other image is still to be fetched
    [fresh] = generated(customer, "fresh")
    ran = customer.inside("tasks", "--prune", "--keep-gb", "0", "--older-than", "0", "--json")
    assert ran.json["pruned"]["images"] == 0 and part.exists() and fresh.exists()
    whole = generated(customer, "2 images of a cat", n=2)
    assert len(whole) == 2 and part in whole and customer.sent == 2


def test_an_orphan_that_another_process_removes_meanwhile_is_no_failure(customer: Any) -> None:
    """The images are paid for and stored by then: tidying up may not keep them from anybody."""
    folder = customer.home / "images" / "ab"
    folder.mkdir(parents=True)
    (folder / "gone.png").symlink_to(folder / "nowhere")  # listed, and not there when looked at
    [image] = generated(customer, "cat", SEEDREAM_STORE_GB="0.01", model="Seedream-4.0")
    weighing(customer, 10**9)
    assert image.exists() and customer.inside("tasks", "--prune").code == 0


def weighing(customer: Any, size: int) -> None:
    """Let every stored image count for so many bytes."""
    with sqlite3.connect(customer.home / "ledger.sqlite") as db:
        db.execute("UPDATE images SET bytes = ?", (size,))
    db.close()


def test_the_store_keeps_within_its_bound_by_itself_and_says_so(customer: Any) -> None:
    files = [generated(customer, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    weighing(customer, 6_000_000)
    customer.clock.at = time.time()
    assert customer.generate(prompt="dog").notes == () and all(path.exists() for path in files)
    result = customer.generate(prompt="cow", SEEDREAM_STORE_GB="0.01")
    assert [path.exists() for path in files] == [True, False, False]
    [note] = [note for note in result.notes if "SEEDREAM_STORE_GB" in note]
    assert "2 delivered image(s), 12 MB, were removed" in note and result.images[0].path.exists()


def test_the_store_is_weighed_again_only_when_enough_came(customer: Any) -> None:
    weighed: list[int] = []

    async def road(session: Any) -> None:
        weigh = session.ledger.sum_stored_bytes
        session.ledger.sum_stored_bytes = lambda: weighed.append(1) or weigh()
        for seed in range(3):
            await generate(Request(model=NOW_5, prompt="A cat", seed=seed), session)
        assert len(weighed) == 1
        limit = session.settings.number("SEEDREAM_STORE_GB") * 1e9
        for part in (0.006, 0.006, 0.006):
            await session.resources.prune_if_needed(int(limit * part))
        assert len(weighed) == 2

    customer.run(road)


@pytest.mark.parametrize(
    "words",
    [["--older-than", "1"], ["--keep-gb", "1"], ["--prune", "--keep-gb", "-1"],
     ["--prune", "--older-than", "nan"], ["--prune", "--export", "x"]],
)  # fmt: skip
def test_pruning_is_never_meant_by_half_a_command(customer: Any, words: list[str]) -> None:
    [file] = generated(customer, "old", 400 * DAY)
    ran = customer.inside("tasks", *words)
    assert ran.code == 2 and words[-2] in ran.err and file.exists()
