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
from support.fake_service import DropAfterReceipt, ExpiredLink, Json, Status

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
DAY = 86_400.0


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def tasks(api_client: Any, *words: object) -> list[dict[str, Any]]:
    ran = api_client.inside("tasks", *words, "--json")
    assert ran.code == 0, ran
    return ran.json["tasks"]


# ---- list, resume, forget ----


def test_tasks_lists_resumes_and_forgets(
    make_sandbox: Any, make_api_client: Any, out: Path
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    assert api_client.inside("tasks", "--json").json["tasks"] == []
    task_id = api_client.generate(wait=False, prompt="A cat on a roof").task_id
    [listed] = api_client.inside("tasks", "--json").json["tasks"]
    assert (listed["id"], listed["state"], listed["task_id"]) == (1, "accepted", task_id)
    assert "A cat on a roof" in api_client.inside("tasks").out
    api_client.sandbox.finish_tasks()
    resumed = api_client.inside("tasks", "--resume", "1", "--out", out, "--json")
    assert resumed.code == 0 and list(resumed.json) == ["tasks"]
    assert len(resumed.json["tasks"][0]["images"]) == 1 and len(list(out.iterdir())) == 1
    [listed] = api_client.inside("tasks", "--json").json["tasks"]
    assert listed["state"] == "completed" and len(listed["images"]) == 1
    assert api_client.inside("tasks", "--forget", task_id).code == 0
    assert api_client.inside("tasks", "--json").json["tasks"] == [] and api_client.sent == 1


def test_what_is_forgotten_twice_is_not_told_to_be_at_work(api_client: Any) -> None:
    api_client.generate()
    for _ in (1, 2):
        ran = api_client.inside("tasks", "--forget", "1", "--json")
        assert (ran.code, ran.json["tasks"][0]["state"]) == (0, "forgotten")


def test_an_entry_that_is_worked_on_is_not_forgotten(api_client: Any) -> None:
    import asyncio

    from seedream_api import Request, generate

    async def road(session: Any) -> Any:
        api_client.sandbox.hold()
        work = asyncio.create_task(generate(Request(model=NOW_5, prompt="A cat"), session))
        while not api_client.sent:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        ran = await asyncio.to_thread(api_client.command, "tasks", "--forget", "1", "--json")
        api_client.sandbox.release()
        await work
        return ran

    ran = api_client.run(road)
    assert ran.code == 2 and "running process" in ran.json["error"]["message"]
    assert api_client.states == ["completed"]


def test_an_entry_without_a_task_id_is_resumed_too(api_client: Any, out: Path) -> None:
    api_client.sandbox.faults.push("image", Status(500), times=1000)
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json"]
    assert api_client.inside(*words).code == 1 and api_client.states == ["answered"]
    api_client.sandbox.faults.clear()
    resumed = api_client.inside("tasks", "--resume", "1", "--out", out, "--json")
    assert resumed.code == 0 and len(list(out.iterdir())) == 1 and api_client.sent == 1


# ---- the list ----


def test_the_table_has_a_line_for_every_entry_the_newest_first(api_client: Any) -> None:
    api_client.generate(prompt="A cat\non two lines", seed=1)
    api_client.sandbox.faults.push("generate", Status(400))
    api_client.inside("generate", "--model", NOW_5, "--prompt", "一只猫")
    head, newest, oldest, store = api_client.inside("tasks").out.splitlines()
    assert head.split() == ["ID", "WHEN", "STATE", "MODEL", "TASK", "PROMPT"]
    assert newest.split()[0] == "2" and "refused" in newest and "一只猫" in newest
    assert oldest.split()[0] == "1" and "completed" in oldest and "A cat on two lines" in oldest
    assert api_client.rows[0].task_id in oldest and store.startswith("Store: ")
    assert "There are no entries" in api_client.inside("tasks", "--state", "unknown").out


def test_states_can_be_picked(api_client: Any) -> None:
    api_client.generate(prompt="done")
    for fault, prompt in ((Status(400), "refused"), (Json({"a": 1}), "unknown")):
        api_client.sandbox.faults.push("generate", fault)
        api_client.inside("generate", "--model", LATER_40, "--prompt", prompt)
    api_client.inside("tasks", "--forget", "1")

    def picked(*words: str) -> list[str]:
        return [task["prompt"] for task in tasks(api_client, *words)]

    assert picked() == ["unknown", "refused"]
    assert picked("--state", "unknown") == ["unknown"]
    assert picked("--state", "refused", "--state", "forgotten") == ["refused", "done"]
    wrong = api_client.inside("tasks", "--state", "lost")
    assert wrong.code == 2 and "lost" in wrong.err


def test_a_long_record_says_that_not_all_of_it_is_listed(
    api_client: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.cli.commands.tasks._LISTED", 2)
    for seed in range(3):
        api_client.generate(seed=seed)
    said = api_client.inside("tasks").out
    assert "Only the newest 2" in said and "--export" in said
    assert [task["id"] for task in tasks(api_client)] == [3, 2]
    assert len(tasks(api_client, "--export", out)) == 3


def test_what_may_have_been_charged_is_told_at_every_state(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    api_client.generate(prompt="3 images of a cat", n=3, wait=False)
    for fault, prompt in ((Status(400), "refused"), (DropAfterReceipt(), "unknown")):
        api_client.sandbox.faults.push("generate", fault)
        api_client.inside("generate", "--model", LATER_40, "--prompt", prompt, "--n", "2")

    def told(*words: object) -> dict[int, tuple[str, bool, int]]:
        return {
            task["id"]: (
                task["state"],
                task["may_have_been_charged"],
                task["may_have_been_charged_images"],
            )
            for task in tasks(api_client, *words)
        }

    refused, unknown = ("refused", False, 0), ("unknown", True, 2)
    assert told() == {1: ("accepted", True, 3), 2: refused, 3: unknown}
    api_client.sandbox.finish_tasks()
    assert api_client.inside("tasks", "--resume", "1").code == 0
    assert told()[1] == ("completed", True, 3)
    for entry in (1, 2, 3):
        api_client.inside("tasks", "--forget", entry)
    assert told("--state", "forgotten") == {
        1: ("forgotten", True, 3), 2: ("forgotten", False, 0), 3: ("forgotten", True, 2)
    }  # fmt: skip


def test_a_request_that_came_back_unaccepted_was_not_charged(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Status(429), times=100)
    api_client.inside("generate", "--model", NOW_5, "--prompt", "A cat")
    [task] = tasks(api_client)
    assert (task["state"], task["may_have_been_charged"]) == ("refused", False)


@pytest.mark.parametrize(("model", "hours"), [(NOW_5, 2), (LATER_40, 24)])
def test_how_long_the_links_live_is_told_while_they_are_needed(
    api_client: Any, model: str, hours: int
) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(), times=100)
    assert api_client.inside("generate", "--model", model, "--prompt", "A cat").code == 1
    [task] = tasks(api_client)
    lives = task["images"][0]["url_expires_at"] - api_client.rows[0].answered_at
    assert task["state"] == "answered" and lives == pytest.approx(hours * 3600, abs=1)
    assert "(links until about 20" in api_client.inside("tasks").out
    api_client.sandbox.faults.clear()
    assert api_client.inside("tasks", "--resume", "1").code == 0
    assert "links until" not in api_client.inside("tasks").out


# ---- export ----


def test_the_whole_record_is_exported_or_some_states_of_it(api_client: Any, out: Path) -> None:
    api_client.generate(prompt="一只猫")
    api_client.generate(prompt="A dog")
    api_client.inside("tasks", "--forget", "1")
    ran = api_client.inside("tasks", "--export", out)
    assert ran.code == 0 and "2 entries" in ran.out and str(out) in ran.out
    written = json.loads(out.read_text("utf-8"))["tasks"]
    assert [task["prompt"] for task in written] == ["A dog", "一只猫"]
    assert written == tasks(api_client, "--export", out)
    [kept] = tasks(api_client, "--export", out, "--state", "forgotten")
    assert kept["prompt"] == "一只猫" and json.loads(out.read_text("utf-8"))["tasks"] == [kept]
    key = api_client.environ["DEEPSPACE_API_KEY"]
    assert key not in out.read_text("utf-8")


def test_an_export_that_cannot_be_written_says_so(api_client: Any, tmp_path: Path) -> None:
    ran = api_client.inside("tasks", "--export", tmp_path / "none" / "file", "--json")
    assert ran.code == 1 and ran.json["error"]["type"] == "LedgerFailed"


# ---- the store ----


def generated(api_client: Any, prompt: str, age_s: float = 0.0, **fields: Any) -> list[Path]:
    """The stored files of a request that was delivered so long ago."""
    api_client.clock.at = time.time() - age_s
    result = api_client.generate(prompt=prompt, **fields)
    return [image.path for image in result.images]


def undelivered(api_client: Any, entry: int) -> None:
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute("UPDATE requests SET delivered_at = NULL WHERE id = ?", (entry,))
    db.close()


def test_the_sizes_of_the_store(api_client: Any) -> None:
    prompt = "2 images of a cat"  # with another seed the sandbox draws the same: one file each
    files = {path for seed in (1, 2) for path in generated(api_client, prompt, seed=seed, n=2)}
    assert len(files) == 2
    size = sum(path.stat().st_size for path in files)
    ran = api_client.inside("tasks", "--json", SEEDREAM_STORE_GB="3")
    assert ran.json["store"] == {
        "bytes": size, "limit_bytes": 3_000_000_000, "path": str(api_client.home)
    }  # fmt: skip
    assert f"Store: {size / 1e6:.1f} MB of 3 GB" in api_client.inside(
        "tasks", SEEDREAM_STORE_GB="3"
    ).out  # fmt: skip


def test_pruning_by_age_takes_old_delivered_images_only(api_client: Any) -> None:
    [old] = generated(api_client, "old", 40 * DAY)
    [younger] = generated(api_client, "younger", 20 * DAY)
    [never] = generated(api_client, "never delivered", 40 * DAY)
    undelivered(api_client, 3)
    ran = api_client.inside("tasks", "--prune", "--older-than", "30", "--json")
    assert ran.code == 0 and ran.json["pruned"]["images"] == 1 and ran.json["pruned"]["bytes"] > 0
    assert not old.exists() and younger.exists() and never.exists()
    assert len(ran.json["tasks"]) == 3  # rows stay
    said = api_client.inside("tasks", "--prune", "--older-than", "10").out
    assert "1 images" in said and not younger.exists() and never.exists()
    # A pruned result is fetched again, and not paid for again.
    assert generated(api_client, "old") == [old] and old.exists() and api_client.sent == 3


@pytest.mark.parametrize("ahead", [2 * DAY, 400 * DAY])
def test_prune_removes_images_of_a_clock_that_was_ahead(api_client: Any, ahead: float) -> None:
    [early] = generated(api_client, "delivered while the clock was ahead", -ahead)
    [fresh] = generated(api_client, "delivered now")
    ran = api_client.inside("tasks", "--prune", "--keep-gb", "0", "--json")
    assert ran.json["pruned"]["images"] == 1 and not early.exists() and fresh.exists()
    assert api_client.generate(prompt="delivered while the clock was ahead").images
    assert early.exists() and api_client.sent == 2


def test_prune_removes_orphans_dated_ahead(api_client: Any) -> None:
    [known] = generated(api_client, "known")
    orphan = known.with_name("orphan.png")
    orphan.write_bytes(b"x")
    os.utime(orphan, (api_client.clock() + 400 * DAY,) * 2)
    assert api_client.inside("tasks", "--prune", "--json").code == 0
    assert known.exists() and not orphan.exists()


def test_pruning_by_size_takes_the_longest_delivered_first(api_client: Any) -> None:
    files = [generated(api_client, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    size = sum(path.stat().st_size for path in files)
    keep = (size - 1) / 1e9
    ran = api_client.inside("tasks", "--prune", "--keep-gb", f"{keep:.9f}", "--json")
    assert [path.exists() for path in files] == [True, False, True]
    assert ran.json["store"]["bytes"] == size - ran.json["pruned"]["bytes"]
    api_client.inside("tasks", "--prune", "--keep-gb", f"{files[0].stat().st_size / 1e9:.9f}")
    assert [path.exists() for path in files] == [True, False, False]


def test_pruning_spares_what_is_unfinished_or_just_delivered(api_client: Any) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(410), times=3)
    [part] = generated(api_client, "2 images of a cat", 40 * DAY, n=2)
    assert api_client.states == ["answered"]  # the other image is still to be fetched
    [fresh] = generated(api_client, "fresh")
    ran = api_client.inside("tasks", "--prune", "--keep-gb", "0", "--older-than", "0", "--json")
    assert ran.json["pruned"]["images"] == 0 and part.exists() and fresh.exists()
    whole = generated(api_client, "2 images of a cat", n=2)
    assert len(whole) == 2 and part in whole and api_client.sent == 2


def test_orphan_removed_by_other_process_is_ignored(api_client: Any) -> None:
    """The images are paid for and stored by then: tidying up may not keep them from anybody."""
    folder = api_client.home / "images" / "ab"
    folder.mkdir(parents=True)
    (folder / "gone.png").symlink_to(folder / "nowhere")  # listed, and not there when looked at
    [image] = generated(api_client, "cat", SEEDREAM_STORE_GB="0.01", model="Seedream-4.0")
    weighing(api_client, 10**9)
    assert image.exists() and api_client.inside("tasks", "--prune").code == 0


def weighing(api_client: Any, size: int) -> None:
    """Let every stored image count for so many bytes."""
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute("UPDATE images SET bytes = ?", (size,))
    db.close()


def test_the_store_keeps_within_its_bound_by_itself_and_says_so(api_client: Any) -> None:
    files = [generated(api_client, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    weighing(api_client, 6_000_000)
    api_client.clock.at = time.time()
    assert api_client.generate(prompt="dog").notes == () and all(path.exists() for path in files)
    result = api_client.generate(prompt="cow", SEEDREAM_STORE_GB="0.01")
    assert [path.exists() for path in files] == [True, False, False]
    [note] = [note for note in result.notes if "SEEDREAM_STORE_GB" in note]
    assert "2 delivered image(s), 12 MB, were removed" in note and result.images[0].path.exists()


def test_the_store_is_weighed_again_only_when_enough_came(api_client: Any) -> None:
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

    api_client.run(road)


@pytest.mark.parametrize(
    "words",
    [["--older-than", "1"], ["--keep-gb", "1"], ["--prune", "--keep-gb", "-1"],
     ["--prune", "--older-than", "nan"], ["--prune", "--export", "x"]],
)  # fmt: skip
def test_pruning_is_never_meant_by_half_a_command(api_client: Any, words: list[str]) -> None:
    [file] = generated(api_client, "old", 400 * DAY)
    ran = api_client.inside("tasks", *words)
    assert ran.code == 2 and words[-2] in ran.err and file.exists()
