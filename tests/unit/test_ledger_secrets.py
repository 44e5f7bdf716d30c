"""What a service echoes is written down without secrets and without terminal codes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api import redaction
from seedream_api.errors import OutcomeUnknown
from seedream_api.kept_response import KeptResponse
from seedream_api.ledger.ledger import Ledger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.models import ResultItem, ServiceError

KEY = "sk-echoed-by-the-service-0123456789"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfi"
SIGNATURE = "X-Amz-Signature=0123456789abcdef"
LINK = f"https://bucket.s3.amazonaws.com/a.png?{SIGNATURE}"
CODE = "\x1b]0;title\x07\x1b[2J"


@pytest.fixture(autouse=True)
def _known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set[str]())
    redaction.keep_secret([KEY, SECRET])


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    opened = Ledger(home)
    yield opened
    opened.close()


def sent(ledger: Ledger) -> int:
    wish = JobSpec("wish", "evolink", "Seedream-4.5", "sandbox", "print", "a cat", {}, (), 0, 1)
    return ledger.move(ledger.claim(wish, "key").id, State.SENDING).id


def written(ledger: Ledger) -> str:
    """Every text of the file."""
    db = sqlite3.connect(ledger.path)
    try:
        return "\n".join(db.iterdump())
    finally:
        db.close()


def assert_no_secret(ledger: Ledger) -> None:
    text = written(ledger)
    assert KEY not in text and "\x1b" not in text and "\\u001b" not in text


def test_request_id_is_stored_without_secrets(ledger: Ledger) -> None:
    row = sent(ledger)
    moved = ledger.move(row, State.ACCEPTED, task_id="task-1", request_id=f"{CODE}id-{KEY}")
    assert moved.request_id == "id-***"
    assert_no_secret(ledger)
    answered = ledger.record_response(row, (ResultItem(0, url=LINK),), {}, f"{KEY}{CODE}other")
    assert answered.request_id == "***other"
    assert_no_secret(ledger)


def test_error_of_row_is_stored_without_secrets(ledger: Ledger) -> None:
    row = sent(ledger)
    reason = ValueError(f"{CODE}not with {KEY}")
    error = OutcomeUnknown("outcome_unknown", request_id=KEY, reason=reason, entry=f"{CODE}{KEY}")
    ledger.move(row, State.UNKNOWN, error=error)
    assert_no_secret(ledger)


def test_error_of_image_is_stored_without_secrets(ledger: Ledger) -> None:
    row = sent(ledger)
    error = ServiceError("bad_reference", f"{CODE}cannot read {LINK} with {KEY}")
    ledger.record_response(row, (ResultItem(0, url=LINK), ResultItem(1, error=error)), {})
    assert_no_secret(ledger)
    made, failed = ledger.images(row)
    assert made.url == LINK, "a result's link stays whole"
    assert failed.error is not None and SIGNATURE not in failed.error
    assert "bad_reference" in failed.error


@pytest.mark.parametrize("spelled", [KEY, SECRET, SECRET.replace("/", "\\/")])
def test_kept_response_is_stored_without_secrets(ledger: Ledger, spelled: str) -> None:
    row = sent(ledger)
    body = f'{{"data": [{{"odd": "{LINK}"}}], "said": "{spelled}"}}'.encode() + b"\xff\xfe"
    ledger.move(row, State.EMPTY, response=KeptResponse(200, body, f"{CODE}cut near {KEY}"))
    ledger.keep_response(row, 200, body + b" ", f"{CODE}cut near {KEY}")
    for kept in ledger.responses(row):
        assert KEY.encode() not in kept.body and spelled.encode() not in kept.body
        assert LINK.encode() in kept.body and b"\xff\xfe" in kept.body
        assert KEY not in kept.note and "\x1b" not in kept.note


@pytest.mark.parametrize("end", ["", "\\", "\\\\", '"', '\\"'])
@pytest.mark.parametrize("field", ["prompt", "revised_prompt"])
def test_prompt_fields_leave_when_prompts_are_not_stored(
    ledger: Ledger, field: str, end: str
) -> None:
    """A task that is collected after a restart brings a prompt that this process never saw."""
    row = ledger.claim_task("sandbox", "task-1", "print").id
    said = f'a "white" cat 一只猫{end}'
    payload = {"data": [{field: said, "url": LINK}], "nested": json.dumps({field: said, "n": 1})}
    body = json.dumps(payload).encode()
    for each in (body, body[: body.index(b"cat") + 3]):
        ledger.keep_response(row, 200, each, "")
    cut, whole = ledger.responses(row)
    assert b"cat" not in cut.body and b"cat" not in whole.body
    kept = json.loads(whole.body)
    assert kept["data"] == [{field: "***", "url": LINK}]
    assert json.loads(kept["nested"]) == {field: "***", "n": 1}


def test_prompt_fields_stay_when_prompts_are_stored(ledger: Ledger) -> None:
    row = sent(ledger)
    body = b'{"revised_prompt": "a cat", "prompt_tokens": 5}'
    ledger.keep_response(row, 200, body, "")
    assert ledger.responses(row)[0].body == body
