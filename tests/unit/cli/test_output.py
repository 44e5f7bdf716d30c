"""What the command line prints: one JSON object and nothing else, or words."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from seedream_api.cli.output import Outcome, Verbatim, find_columns, fit_lines, say, show
from seedream_api.cli.payloads import build_error_payload, build_result_payload
from seedream_api.errors import Charge, InvalidRequest, OutcomeUnknown, WaitTimedOut
from seedream_api.jobs.results import Failure, Origin, Result, StoredImage

FIELDS = {
    "status", "task_id", "task_ids", "images", "failures", "references", "reused",
    "may_have_been_charged", "cost", "error", "notes", "job_id", "model", "seed", "origin",
    "charged_images", "seconds", "request_id",
}  # fmt: skip


def image(number: int) -> StoredImage:
    url = f"https://e.com/{number}" if number else None
    return StoredImage(Path("/s"), number, url, 30, 20, 9, "image/png", "aa", "task-a")


def result(origin: Origin = Origin.NEW, **changed: object) -> Result:
    known: dict[str, object] = {
        "status": "completed", "entry": 7, "origin": origin, "model": "Seedream-4.5",
        "task_id": "task-a", "images": (image(0), image(1)), "charged_images": 2, **changed,
    }  # fmt: skip
    return Result(**known)  # type: ignore[arg-type]


# ---- JSON objects ----


def test_a_result_has_the_contracts_fields_and_order() -> None:
    failure = Failure("no", 2, "task-a")
    payload = build_result_payload(result(failures=(failure,), notes=("a note",)), ["/o/1", "/o/2"])
    assert set(payload) == FIELDS
    file = {"bytes": 9, "media_type": "image/png", "sha256": "aa"}
    assert payload["images"] == [
        {"path": "/o/1", "width": 30, "height": 20, "url": None, **file},
        {"path": "/o/2", "width": 30, "height": 20, "url": "https://e.com/1", **file},
    ]
    assert payload["failures"] == [{"task_id": "task-a", "position": 2, "reason": "no"}]
    assert payload["notes"] == ["a note"] and payload["error"] is None
    assert payload["status"] == "completed" and payload["task_ids"] == ["task-a"]


def test_only_a_new_result_may_be_charged() -> None:
    paths = ["/o/1", "/o/2"]
    stored = build_result_payload(result(Origin.STORED), paths)
    assert stored["reused"] and not stored["may_have_been_charged"]
    new = build_result_payload(result(), paths)
    assert not new["reused"] and new["may_have_been_charged"]


def test_task_ids_are_a_list() -> None:
    several = build_result_payload(result(task_id="task-a\ntask-b"), ["1", "2"])
    assert several["task_ids"] == ["task-a", "task-b"]
    none = build_result_payload(result(task_id=None), ["1", "2"])
    assert none["task_id"] == "" and none["task_ids"] == []


@pytest.mark.parametrize("command", ["generate", "poll", "download"])
def test_an_error_has_the_same_fields_as_a_result(command: str) -> None:
    error = WaitTimedOut("wait_timed_out", task_id="task-a", word="queued", waited=5)
    payload = build_error_payload(command, error)
    assert set(payload) == FIELDS and payload["status"] == "pending"
    assert payload["task_ids"] == ["task-a"] and payload["may_have_been_charged"]
    assert payload["error"] == {
        "type": "WaitTimedOut", "message": str(error), "charge": error.charge.value, "code": "",
        "http_status": None, "field": None, "retry_after_s": None,
    }  # fmt: skip


def test_json_error_states_whether_it_may_be_charged() -> None:
    unknown = build_error_payload("generate", OutcomeUnknown("outcome_unknown_crash", entry=1))
    refused = build_error_payload("generate", InvalidRequest("prompt_empty"))
    assert (unknown["status"], unknown["may_have_been_charged"]) == ("unknown", True)
    assert (refused["status"], refused["may_have_been_charged"]) == ("error", False)


@pytest.mark.parametrize(
    ("command", "name"), [("tasks", "tasks"), ("models", "models"), ("doctor", "checks")]
)
def test_other_commands_keep_their_list_when_they_fail(command: str, name: str) -> None:
    payload = build_error_payload(command, InvalidRequest("entry_unknown", given="7"))
    assert payload[name] == [] and payload["error"]["type"] == "InvalidRequest"


# ---- printing ----


class Console(io.TextIOWrapper):
    """A stdout of some encoding, as strict as a real one."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "gbk", "cp437", "utf-16"])
def test_json_can_be_parsed_on_any_console(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    payload = {"prompt": "café 一只猫 \U0001f600 \u2028 \x85", "n": 1}
    console = Console(encoding)
    monkeypatch.setattr(sys, "stdout", console)
    show(Outcome(payload, ("not this",), 0), as_json=True)
    assert console.text().endswith("\n") and console.text().count("\n") == 1
    assert json.loads(console.text()) == payload
    if encoding == "utf-8":
        assert "一只猫" in console.text()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "gbk"])
def test_lines_never_fail_on_a_limited_console(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    console = Console(encoding)
    monkeypatch.setattr(sys, "stdout", console)
    show(Outcome({"not": "this"}, ("first", "一只猫 \U0001f600"), 0), as_json=False)
    lines = console.text().splitlines()
    assert lines[0] == "first" and len(lines) == 2
    assert ("一只猫" in lines[1]) == (encoding in ("utf-8", "gbk"))


def test_outcome_without_lines_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show(Outcome({}, (), 0), as_json=False)
    assert capsys.readouterr() == ("", "")


def test_lines_for_people_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("it runs")
    assert capsys.readouterr() == ("", "it runs\n")


def test_json_error_states_every_charge() -> None:
    for charge in Charge:
        error = InvalidRequest("prompt_empty", charge=charge)
        payload = build_error_payload("generate", error)
        assert payload["may_have_been_charged"] == (charge is not Charge.NONE)


def test_quiet_leaves_out_notes_only(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome({}, ("/o/1.png",), 0, ("Note: a note",))
    show(outcome, as_json=False, is_quiet=True)
    assert capsys.readouterr().out == "/o/1.png\n"
    show(outcome, as_json=False)
    assert capsys.readouterr().out == "/o/1.png\nNote: a note\n"


# ---- the width of a terminal ----


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """One side of a pseudo terminal of 40 columns."""
    termios, fcntl = pytest.importorskip("termios"), pytest.importorskip("fcntl")
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 40, 0, 0))
    with open(slave, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        yield stream
    os.close(master)


def test_width_is_that_of_the_terminal_written_to(terminal: TextIO) -> None:
    """With ``--json > file``, stderr alone is the terminal, and progress must fit it."""
    assert find_columns(terminal) == 40 and find_columns(io.StringIO()) is None


def test_wide_lines_are_broken_but_what_is_copied(terminal: TextIO) -> None:
    text = "a text that is wider than a terminal of forty columns"
    assert fit_lines([text], terminal) == [
        "a text that is wider than a terminal of", "  forty columns"
    ]  # fmt: skip
    assert fit_lines([Verbatim(text)], terminal) == [text]
    assert fit_lines([text], io.StringIO()) == [text]
