"""Responses that could not be read: exported for people, and read again by ``tasks --resume``."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from seedream_api.service import result_items
from support.crafted_images import saved
from support.fake_service import SANDBOX_KEY, Json

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
FAMILIES = pytest.mark.parametrize("model", [NOW_5, LATER_40])


def png(side: int) -> bytes:
    return saved("PNG", 20 + side)


def encoded(side: int) -> str:
    return base64.b64encode(png(side)).decode()


def generate(api_client: Any, model: str, body: Any, n: int = 1) -> Any:
    api_client.sandbox.faults.push("generate", Json(body))
    words = ["--model", model, "--prompt", f"{n} images of a cat", "--json"]
    words += ["--n", str(n)] if n > 1 and model == LATER_40 else []
    return api_client.inside("generate", *words)


def resume(api_client: Any, out: Path) -> Any:
    return api_client.inside("tasks", "--resume", "1", "--out", out, "--json")


def exported(api_client: Any, path: Path) -> list[dict[str, Any]]:
    assert api_client.inside("tasks", "--export", path).code == 0
    [task] = json.loads(path.read_text("utf-8"))["tasks"]
    return task["responses"]


def learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of a later version knows one more field."""
    monkeypatch.setattr(result_items, "BYTES_FIELDS", (*result_items.BYTES_FIELDS, "hologram"))


@FAMILIES
def test_resume_reads_kept_response_with_later_reader(
    api_client: Any, out: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = generate(api_client, model, {"created": 1, "data": [{"hologram": encoded(1)}]})
    assert ran.json["may_have_been_charged"] and api_client.states == ["empty"]
    again = resume(api_client, out)
    assert again.code == 3 and not list(out.glob("*")) and api_client.states == ["empty"]
    learn(monkeypatch)
    resumed = resume(api_client, out)
    assert resumed.code == 0 and api_client.states == ["completed"] and api_client.sent == 1
    [image] = out.iterdir()
    assert image.read_bytes() == png(1)


@FAMILIES
def test_resume_reads_entry_beside_a_readable_one(
    api_client: Any, out: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"data": [{"b64_json": encoded(1)}, {"hologram": encoded(2)}]}
    ran = generate(api_client, model, body, n=2)
    assert ran.json["may_have_been_charged"] and api_client.states == ["answered"]
    learn(monkeypatch)
    assert resume(api_client, out).code == 0
    assert {path.read_bytes() for path in out.iterdir()} == {png(1), png(2)}
    assert api_client.sent == 1 and api_client.states == ["completed"]


def test_export_shows_kept_response_without_secrets(api_client: Any, out: Path) -> None:
    link = "https://cdn.example.com/x.png?X-Amz-Signature=abc"
    body = {"data": [{"hologram": link, "said": f"\x1b[2Jkey {SANDBOX_KEY}"}]}
    generate(api_client, NOW_5, body)
    [response] = exported(api_client, out)
    assert response["status"] == 200 and not response["truncated"]
    assert link in response["body"], "a person can still fetch the image"
    assert SANDBOX_KEY not in out.read_text() and "\x1b" not in response["body"]
    assert "responses" not in api_client.inside("tasks", "--json").json["tasks"][0]


def test_export_bounds_a_kept_response(
    api_client: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.cli.task_entries._SHOWN_BYTES", 1_000)
    generate(api_client, NOW_5, {"data": [{"hologram": "x" * 5_000}]})
    [response] = exported(api_client, out)
    assert response["truncated"] and response["bytes"] > 5_000 and len(response["body"]) == 1_000


def test_export_encodes_kept_bytes_that_are_not_text(api_client: Any, out: Path) -> None:
    from seedream_api.ledger.ledger import SyncLedger

    api_client.generate()
    ledger = SyncLedger(api_client.home)
    ledger.keep_response(1, None, b"\xff\xfe\x00", "the connection was cut")
    ledger.close()
    [response] = exported(api_client, out)
    assert base64.b64decode(response["body_base64"]) == b"\xff\xfe\x00"
    assert response["status"] is None and response["note"] == "the connection was cut"


@pytest.mark.parametrize("column", ["status", "body", "note", "truncated", "received_at"])
@pytest.mark.parametrize("value", ["'x{'", "X'00FF'", "CAST(X'FFFE' AS TEXT)"])
def test_malformed_kept_response_harms_no_other(
    api_client: Any, out: Path, tmp_path: Path, column: str, value: str
) -> None:
    from seedream_api.ledger.ledger import SyncLedger

    generate(api_client, NOW_5, {"data": [{"hologram": 1}]})
    ledger = SyncLedger(api_client.home)
    ledger.keep_response(1, 200, b"second", "")
    ledger.close()
    db = sqlite3.connect(api_client.home / "ledger.sqlite")
    with db:
        db.execute(f"UPDATE responses SET {column} = {value} WHERE number = 1")  # noqa: S608
    db.close()
    second, first = exported(api_client, out)
    assert second["body"] == "second"
    if not (column == "note" and value == "'x{'"):  # a text like any other
        assert f"cannot be read: {column}" in first["note"]
    assert resume(api_client, tmp_path / "more").json["error"]
    assert api_client.sent == 1


PRIVATE = "a very private cat “in” ü/ä"
SIGNED = "https://user.example.com/ref.png?X-Amz-Signature=0123456789abcdef"


@pytest.mark.parametrize("kind", ["unreadable", "refused", "failed entry"])
def test_echo_of_the_request_is_not_stored(api_client: Any, kind: str) -> None:
    from seedream_api import SeedreamError, UrlReference
    from seedream_api.ledger.ledger import SyncLedger

    words = f"{PRIVATE} and {SIGNED}"
    bodies: dict[str, Any] = {
        "unreadable": {"data": [{"hologram": 1}], "prompt": PRIVATE, "image_urls": [SIGNED]},
        "refused": {"error": {"code": "content_policy_violation", "message": words}},
        "failed entry": {"data": [{"b64_json": encoded(1)}, {"error": {"message": words}}]},
    }
    api_client.sandbox.faults.push("generate", Json(bodies[kind]))
    with contextlib.suppress(SeedreamError):
        api_client.generate(
            UrlReference(SIGNED), model=NOW_5, prompt=PRIVATE, SEEDREAM_STORE_PROMPTS="off"
        )
    assert api_client.sent == 1 and len(api_client.rows[0].references) == 1
    for path in (path for path in api_client.home.rglob("*") if path.is_file()):
        text = path.read_bytes().decode("utf-8", "replace")
        for secret in (PRIVATE, json.dumps(PRIVATE)[1:-1], "0123456789abcdef"):
            assert secret not in text, path
    ledger = SyncLedger(api_client.home)
    kept = b"".join(response.body for response in ledger.list_responses(1)).decode()
    ledger.close()
    assert "private cat" not in kept and "0123456789abcdef" not in kept
