"""``tasks``: list, resume, forget and export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.fake_service import DropAfterReceipt, ExpiredLink, Json, Status
from support.sample_requests import LATER_40, NOW_5


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


def test_entry_that_is_worked_on_is_not_forgotten(api_client: Any) -> None:
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


def test_entry_without_a_task_id_is_resumed_too(api_client: Any, out: Path) -> None:
    api_client.sandbox.faults.push("image", Status(500), times=1000)
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json"]
    assert api_client.inside(*words).code == 1 and api_client.states == ["answered"]
    api_client.sandbox.faults.clear()
    resumed = api_client.inside("tasks", "--resume", "1", "--out", out, "--json")
    assert resumed.code == 0 and len(list(out.iterdir())) == 1 and api_client.sent == 1


# ---- the list ----


def test_table_has_a_line_for_every_entry_the_newest_first(api_client: Any) -> None:
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


def test_long_record_says_that_not_all_of_it_is_listed(
    api_client: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.cli.commands.tasks._LISTED", 2)
    for seed in range(3):
        api_client.generate(seed=seed)
    said = api_client.inside("tasks").out
    assert "Only the newest 2" in said and "--export" in said
    assert [task["id"] for task in tasks(api_client)] == [3, 2]
    assert len(tasks(api_client, "--export", out)) == 3


def test_tasks_states_possible_charge_for_every_state(
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


def test_request_that_was_not_accepted_was_not_charged(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Status(429), times=100)
    api_client.inside("generate", "--model", NOW_5, "--prompt", "A cat")
    [task] = tasks(api_client)
    assert (task["state"], task["may_have_been_charged"]) == ("refused", False)


@pytest.mark.parametrize(("model", "hours"), [(NOW_5, 2), (LATER_40, 24)])
def test_tasks_states_link_expiry_while_links_are_needed(
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


def test_whole_record_is_exported_or_some_states_of_it(api_client: Any, out: Path) -> None:
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


def test_export_that_cannot_be_written_says_so(api_client: Any, tmp_path: Path) -> None:
    ran = api_client.inside("tasks", "--export", tmp_path / "none" / "file", "--json")
    assert ran.code == 1 and ran.json["error"]["type"] == "LedgerFailed"
