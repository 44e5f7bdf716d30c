"""The routes of the task panel on a real server: groups, exports, copies, and Collect."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.pack_routes import ask, refusal


def graph(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(prompt, **inputs), "2": workflows.look("1")}


def find_task(comfy: ComfyFixture, prompt: str) -> dict[str, Any]:
    (task,) = ask(comfy.server, f"/tasks?text={quote(prompt)}").json()["tasks"]
    return task


def test_task_is_grouped_and_counted(comfy: ComfyFixture, prompt: str) -> None:
    before = ask(comfy.server, "/overview").json()
    comfy.run(graph(prompt))
    after = ask(comfy.server, "/overview").json()
    assert after["groups"]["done"] == before["groups"]["done"] + 1
    assert after["total"] == before["total"] + 1 and "Seedream-4.0" in after["models"]
    task = find_task(comfy, prompt)
    assert task["group"] == "done"
    listed = ask(comfy.server, f"/tasks?group=done&model=Seedream-4.0&text={quote(prompt)}").json()
    assert [one["id"] for one in listed["tasks"]] == [task["id"]]
    created = task["created_at"]
    for nowhere in (f"before={created}", f"since={created + 1}", "group=failed", "model=other"):
        assert ask(comfy.server, f"/tasks?{nowhere}&text={quote(prompt)}").json()["total"] == 0


@pytest.mark.parametrize("query", ["group=lost", "since=soon", "ids=1;2", "before=inf"])
def test_malformed_filter_is_refused(comfy: ComfyFixture, query: str) -> None:
    assert refusal(ask(comfy.server, f"/tasks?{query}"))[0] == 400


def test_export_has_every_row_without_urls(comfy: ComfyFixture, prompt: str) -> None:
    from seedream_api.sandbox import SANDBOX_KEY

    comfy.run(graph(f"=cmd {prompt}", n=2, seed=1))
    comfy.run(graph(f"{prompt}, 春天", seed=2))
    query = f"/tasks/export?text={quote(prompt)}"
    as_json, as_csv = (ask(comfy.server, f"{query}&format={form}") for form in ("json", "csv"))
    rows = json.loads(as_json.body)["tasks"]
    assert [row["prompt"] for row in rows] == [f"{prompt}, 春天", f"=cmd {prompt}"]
    assert rows[1]["quality"] == "1K" and rows[1]["asked"] == 2 and rows[1]["charge"] == "made"
    table = [*csv.DictReader(io.StringIO(as_csv.body.decode("utf-8-sig")))]
    assert [row["id"] for row in table] == [str(row["id"]) for row in rows]
    assert rows[0]["profile"] == "" and set(rows[0]) == set(table[0])
    assert table[1]["prompt"] == f"'=cmd {prompt}", "a spreadsheet would run a formula"
    page = ask(comfy.server, f"/tasks/{rows[0]['id']}")
    for body in (as_json.body, as_csv.body, page.body):
        assert b"http" not in body and SANDBOX_KEY.encode() not in body
    one = ask(comfy.server, f"{query}&ids={rows[0]['id']}").json()["tasks"]
    assert [row["id"] for row in one] == [rows[0]["id"]]
    assert refusal(ask(comfy.server, f"{query}&format=xml"))[0] == 400


def test_images_are_copied_once_to_output_and_input(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run(graph(prompt))
    task = find_task(comfy, prompt)
    path = f"/tasks/{task['id']}"
    original = ask(comfy.server, f"{path}/images/0").body
    saved, again = (ask(comfy.server, f"{path}/save", {}).json()["files"] for _ in range(2))
    assert len(saved) == 1 and saved == again
    assert (comfy.server.base / "output" / saved[0]).read_bytes() == original
    file = ask(comfy.server, f"{path}/images/0/input", {}).json()["file"]
    assert (comfy.server.base / "input" / file).read_bytes() == original
    loader = {"class_type": "LoadImage", "inputs": {"image": file}}
    comfy.run({"1": loader, "2": workflows.look("1")})
    assert refusal(ask(comfy.server, f"{path}/images/7/input", {}))[0] == 404


def test_collect_fetches_an_abandoned_task(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run(graph(prompt))
    row_id = find_task(comfy, prompt)["id"]
    with closing(sqlite3.connect(comfy.home / "ledger.sqlite")) as ledger, ledger:
        # As a ComfyUI leaves it that ends after the service has accepted the request.
        ledger.execute(
            "UPDATE requests SET state = 'accepted', owner = NULL WHERE id = ?", [row_id]
        )
        ledger.execute("DELETE FROM images WHERE request = ?", [row_id])
    assert find_task(comfy, prompt)["group"] == "attention"
    assert ask(comfy.server, f"/tasks/{row_id}/collect", {}).status == 200
    comfy.until(lambda: find_task(comfy, prompt)["stored"] == [0])
    assert find_task(comfy, prompt)["group"] == "done" and len(comfy.posts(prompt)) == 1
    assert ask(comfy.server, "/tasks/999999/collect", {}).status == 404
