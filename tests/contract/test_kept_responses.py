"""Responses that could not be read: exported for people, and read again by ``tasks --resume``."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from seedream_api.sandbox import SANDBOX_KEY, Json
from seedream_api.service import result_items

from .odd_files import saved

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
FAMILIES = pytest.mark.parametrize("model", [NOW_5, LATER_40])


def png(side: int) -> bytes:
    return saved("PNG", 20 + side)


def encoded(side: int) -> str:
    return base64.b64encode(png(side)).decode()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def generate(customer: Any, model: str, body: Any, n: int = 1) -> Any:
    customer.sandbox.faults.push("generate", Json(body))
    words = ["--model", model, "--prompt", f"{n} images of a cat", "--json"]
    words += ["--n", str(n)] if n > 1 and model == LATER_40 else []
    return customer.inside("generate", *words)


def resume(customer: Any, out: Path) -> Any:
    return customer.inside("tasks", "--resume", "1", "--out", out, "--json")


def exported(customer: Any, path: Path) -> list[dict[str, Any]]:
    assert customer.inside("tasks", "--export", path).code == 0
    [task] = json.loads(path.read_text("utf-8"))["tasks"]
    return task["responses"]


def learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of a later version knows one more field."""
    monkeypatch.setattr(result_items, "BYTES_FIELDS", (*result_items.BYTES_FIELDS, "hologram"))


@FAMILIES
def test_resume_reads_kept_response_with_later_reader(
    customer: Any, out: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = generate(customer, model, {"created": 1, "data": [{"hologram": encoded(1)}]})
    assert ran.json["may_have_been_charged"] and customer.states == ["empty"]
    again = resume(customer, out)
    assert again.code == 3 and not list(out.glob("*")) and customer.states == ["empty"]
    learn(monkeypatch)
    resumed = resume(customer, out)
    assert resumed.code == 0 and customer.states == ["completed"] and customer.sent == 1
    [image] = out.iterdir()
    assert image.read_bytes() == png(1)


@FAMILIES
def test_resume_reads_entry_beside_a_readable_one(
    customer: Any, out: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"data": [{"b64_json": encoded(1)}, {"hologram": encoded(2)}]}
    ran = generate(customer, model, body, n=2)
    assert ran.json["may_have_been_charged"] and customer.states == ["answered"]
    learn(monkeypatch)
    assert resume(customer, out).code == 0
    assert {path.read_bytes() for path in out.iterdir()} == {png(1), png(2)}
    assert customer.sent == 1 and customer.states == ["completed"]


def test_export_shows_kept_response_without_secrets(customer: Any, out: Path) -> None:
    link = "https://cdn.example.com/x.png?X-Amz-Signature=abc"
    body = {"data": [{"hologram": link, "said": f"\x1b[2Jkey {SANDBOX_KEY}"}]}
    generate(customer, NOW_5, body)
    [response] = exported(customer, out)
    assert response["status"] == 200 and not response["truncated"]
    assert link in response["body"], "a person can still fetch the image"
    assert SANDBOX_KEY not in out.read_text() and "\x1b" not in response["body"]
    assert "responses" not in customer.inside("tasks", "--json").json["tasks"][0]


def test_export_bounds_a_kept_response(
    customer: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.cli.list_commands._SHOWN_BYTES", 1_000)
    generate(customer, NOW_5, {"data": [{"hologram": "x" * 5_000}]})
    [response] = exported(customer, out)
    assert response["truncated"] and response["bytes"] > 5_000 and len(response["body"]) == 1_000


def test_export_encodes_kept_bytes_that_are_not_text(customer: Any, out: Path) -> None:
    from seedream_api.ledger.ledger import SyncLedger

    customer.generate()
    ledger = SyncLedger(customer.home)
    ledger.keep_response(1, None, b"\xff\xfe\x00", "the connection was cut")
    ledger.close()
    [response] = exported(customer, out)
    assert base64.b64decode(response["body_base64"]) == b"\xff\xfe\x00"
    assert response["status"] is None and response["note"] == "the connection was cut"


@pytest.mark.parametrize("column", ["status", "body", "note", "truncated", "received_at"])
@pytest.mark.parametrize("value", ["'x{'", "X'00FF'", "CAST(X'FFFE' AS TEXT)"])
def test_malformed_kept_response_harms_no_other(
    customer: Any, out: Path, tmp_path: Path, column: str, value: str
) -> None:
    from seedream_api.ledger.ledger import SyncLedger

    generate(customer, NOW_5, {"data": [{"hologram": 1}]})
    ledger = SyncLedger(customer.home)
    ledger.keep_response(1, 200, b"second", "")
    ledger.close()
    db = sqlite3.connect(customer.home / "ledger.sqlite")
    with db:
        db.execute(f"UPDATE responses SET {column} = {value} WHERE number = 1")  # noqa: S608
    db.close()
    second, first = exported(customer, out)
    assert second["body"] == "second"
    if not (column == "note" and value == "'x{'"):  # a text like any other
        assert f"cannot be read: {column}" in first["note"]
    assert resume(customer, tmp_path / "more").json["error"]
    assert customer.sent == 1


PRIVATE = "a very private cat “in” ü/ä"
SIGNED = "https://user.example.com/ref.png?X-Amz-Signature=0123456789abcdef"


@pytest.mark.parametrize("kind", ["unreadable", "refused", "failed entry"])
def test_echo_of_the_request_is_not_stored(customer: Any, kind: str) -> None:
    from seedream_api import SeedreamError, UrlReference
    from seedream_api.ledger.ledger import SyncLedger

    words = f"{PRIVATE} and {SIGNED}"
    bodies: dict[str, Any] = {
        "unreadable": {"data": [{"hologram": 1}], "prompt": PRIVATE, "image_urls": [SIGNED]},
        "refused": {"error": {"code": "content_policy_violation", "message": words}},
        "failed entry": {"data": [{"b64_json": encoded(1)}, {"error": {"message": words}}]},
    }
    customer.sandbox.faults.push("generate", Json(bodies[kind]))
    with contextlib.suppress(SeedreamError):
        customer.generate(
            UrlReference(SIGNED), model=NOW_5, prompt=PRIVATE, SEEDREAM_STORE_PROMPTS="off"
        )
    assert customer.sent == 1 and len(customer.rows[0].references) == 1
    for path in (path for path in customer.home.rglob("*") if path.is_file()):
        text = path.read_bytes().decode("utf-8", "replace")
        for secret in (PRIVATE, json.dumps(PRIVATE)[1:-1], "0123456789abcdef"):
            assert secret not in text, path
    ledger = SyncLedger(customer.home)
    kept = b"".join(response.body for response in ledger.list_responses(1)).decode()
    ledger.close()
    assert "private cat" not in kept and "0123456789abcdef" not in kept
