"""Which rows of the ledger a request reuses, whatever spelling they contain."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seedream_api.config.normalization import normalize_recorded_address, parse_address
from seedream_api.images.encode import EncodedImage
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.request_identity import (
    choose_row,
    find_rows,
    list_given_urls,
    strip_signature,
)
from seedream_api.ledger.states import RELEASED_STATES, STORED_STATES, JobSpec, State, fingerprint
from seedream_api.ledger.upload_cache import to_uploaded_reference
from support.old_ledgers import spell_as_0_1, take_back_to_0_1

ADDRESS = "https://api.deepspaceai.net"
BODY = {"model": "Seedream-4.5", "prompt": "a cat"}
SIGNED = "https://b.s3.amazonaws.com/seedream/aa.png?X-Amz-Algorithm=A&X-Amz-Signature="


def known(ledger: SyncLedger, *references: str, address: str = ADDRESS, seed: int = 0) -> JobSpec:
    identities, also = ledger.identify_request(address, BODY, references, seed)
    own = fingerprint(address, BODY, identities, seed)
    fields = {"model": BODY["model"]}
    return JobSpec(
        own, "evolink", "Seedream-4.5", address, "print", "a cat", fields, identities, seed, 1,
        also=also,
    )  # fmt: skip


def give(ledger: SyncLedger, url: str, content: str) -> None:
    file = EncodedImage(b"png", "image/png", True, (), 1, 1)
    ledger.record_upload(
        content, "place", to_uploaded_reference(file, target="s3", url=url, expires_at=None)
    )


def execute(ledger: SyncLedger, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(ledger.path)) as db:
        db.execute(statement, values)
        db.commit()


# ---- addresses ----


@pytest.mark.parametrize(
    ("old", "typed"),
    [
        ("https://api.deepspaceai.net:443", "https://api.deepspaceai.net"),
        ("https://api.deepspaceai.net.", "https://API.deepspaceai.net/v1"),
        ("https://api.deepspaceai.net/", "https://api.deepspaceai.net//v1"),
        ("https://relay.example.com//a", "https://relay.example.com/a/"),
        ("http://localhost:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:80", "http://localhost"),
        ("https://xn--strae-oqa.de", "https://straße.de"),
        ("https://straße.de", "https://straße.de"),
        ("https://2130706433", "https://127.0.0.1"),
        ("https://[0:0:0:0:0:0:0:1]:8443", "https://[::1]:8443"),
        ("https://relay.example.com/v1", "https://relay.example.com/v1/v1"),
        ("sandbox", "Sandbox"),
    ],
)
def test_row_of_typed_url_is_found_by_canonical_url(
    ledger: SyncLedger, old: str, typed: str
) -> None:
    address = parse_address(typed)
    assert normalize_recorded_address(old) == normalize_recorded_address(address) == address
    row = ledger.claim(known(ledger, address=address), "key")
    spell_as_0_1(ledger.path, address=old)
    again = ledger.claim(known(ledger, address=address), "other")
    assert again.id == row.id and again.address == address
    assert len(ledger.list_records()) == 1


@pytest.mark.parametrize("text", ["", "no address", "http://plain.example.com", "https://[", "\0"])
def test_unreadable_row_address_stays(text: str) -> None:
    assert normalize_recorded_address(text) == text


@pytest.mark.parametrize(
    "other",
    ["http://localhost:8081", "https://localhost:8080", "http://localhost:8080/a", "sandbox"],
)
def test_other_service_is_another_request(ledger: SyncLedger, other: str) -> None:
    address = "http://127.0.0.1:8080"
    row = ledger.claim(known(ledger, address=address), "key")
    spell_as_0_1(ledger.path, address=other)
    assert ledger.claim(known(ledger, address=address), "key").id != row.id


def test_adopted_task_is_found_by_canonical_address(ledger: SyncLedger) -> None:
    mine = ledger.claim_task("http://127.0.0.1:8080", "task-1", "print")
    execute(ledger, "UPDATE requests SET address = 'http://localhost:8080'")
    execute(
        ledger,
        "INSERT INTO requests (state, address, task_id, created_at, updated_at) "
        "VALUES ('accepted', 'https://other.example.com', 'task-1', 0, 0)",
    )
    found = ledger.claim_task("http://127.0.0.1:8080", "task-1", "print")
    assert found.id == mine.id and found.address == "http://127.0.0.1:8080"


# ---- references ----


def test_signature_does_not_identify_an_object() -> None:
    assert strip_signature(f"{SIGNED}a") == "https://b.s3.amazonaws.com/seedream/aa.png"
    assert strip_signature("https://e.com/a?id=1") == "https://e.com/a?id=1"


def test_given_url_outlives_its_upload(ledger: SyncLedger) -> None:
    for number, url in enumerate(["https://e.com/1", "https://e.com/2", f"{SIGNED}1"]):
        give(ledger, url, "sha256:aa")
        execute(ledger, "UPDATE uploads SET created_at = 1, expires_at = ?", number)
    for url in ("https://e.com/1", "https://e.com/2", f"{SIGNED}1", f"{SIGNED}2"):
        assert known(ledger, f"url:{url}").references == ("sha256:aa",)
    with ledger.database.write(durable=False):
        assert len(list_given_urls(ledger.database, ["sha256:aa"])) == 3
    assert known(ledger, "url:https://e.com/3").references == ("url:https://e.com/3",)


def test_first_content_of_a_url_stays(ledger: SyncLedger) -> None:
    for content in ("sha256:aa", "sha256:bb"):
        give(ledger, "https://e.com/1", content)
    assert known(ledger, "url:https://e.com/1").references == ("sha256:aa",)


def test_stored_result_is_known_by_all_its_links(ledger: SyncLedger) -> None:
    row = ledger.claim(known(ledger), "key")
    execute(
        ledger,
        "INSERT INTO images (request, position, url) VALUES (?, 0, 'https://e.com/old')",
        row.id,
    )
    assert known(ledger, "url:https://e.com/old").references == ("url:https://e.com/old",)
    execute(ledger, "UPDATE images SET sha256 = 'cc'")
    execute(ledger, "UPDATE images SET url = 'https://e.com/new'")
    for url in ("https://e.com/old", "https://e.com/new"):
        assert known(ledger, f"url:{url}").references == ("sha256:cc",)


def test_migration_keeps_urls_that_0_1_gave_out(home: Path) -> None:
    ledger = SyncLedger(home)
    row = ledger.claim(known(ledger), "key")
    give(ledger, f"{SIGNED}1", "sha256:aa")
    execute(
        ledger,
        "INSERT INTO images (request, position, url, sha256) "
        "VALUES (?, 0, 'https://e.com/r', 'cc')",
        row.id,
    )
    ledger.close()
    take_back_to_0_1(ledger.path)
    again = SyncLedger(home)
    try:
        references = known(again, f"url:{SIGNED}2", "url:https://e.com/r").references
        assert references == ("sha256:aa", "sha256:cc")
    finally:
        again.close()


def test_row_of_0_1_is_found_by_any_of_its_urls(ledger: SyncLedger) -> None:
    give(ledger, "https://e.com/1", "sha256:aa")
    give(ledger, "https://e.com/2", "sha256:aa")
    row = ledger.claim(known(ledger, "sha256:aa", "sha256:aa", "url:https://e.com/f"), "key")
    old = ("url:https://e.com/2", "url:https://e.com/1", "url:https://e.com/f")
    spell_as_0_1(ledger.path, references=old, address=f"{ADDRESS}:443")
    same = [("sha256:aa", "url:https://e.com/1", "url:https://e.com/f"), old]
    assert {ledger.claim(known(ledger, *one), "key").id for one in same} == {row.id}
    others = [old[::-1], old[:2], (*old, old[0]), (*old[:2], "url:https://e.com/g")]
    ids = {ledger.claim(known(ledger, *one), "key").id for one in others}
    assert row.id not in ids and len(ids) == len(others)
    assert ledger.claim(known(ledger, *old, seed=1), "key").id not in {row.id, *ids}


@pytest.mark.parametrize("refs", ["{", "5", "null", '["url:x", 5]', "[[]]", '{"url:a": 1}'])
def test_damaged_references_stop_no_other_request(ledger: SyncLedger, refs: str) -> None:
    ledger.claim(known(ledger, "url:https://e.com/f", seed=7), "key")
    execute(ledger, "UPDATE requests SET refs = ?, address = address || ':443'", refs)
    intent = known(ledger, "sha256:aa", seed=7)
    assert ledger.claim(intent, "key").fingerprint == intent.fingerprint


# ---- several rows for one request ----


def claim_all(ledger: SyncLedger, *states: State) -> tuple[JobSpec, list[int]]:
    names = [str(number) for number, _ in enumerate(states)]
    whole = replace(known(ledger), fingerprint="own", also=tuple(names))
    ids: list[int] = []
    for name, state in zip(names, states, strict=True):
        row = ledger.claim(replace(whole, fingerprint=name, also=()), "key")
        execute(
            ledger, "UPDATE requests SET state = ?, owner = NULL WHERE id = ?", state.value, row.id
        )
        ids.append(row.id)
    return whole, ids


@pytest.mark.parametrize(
    "first", [one for one in State if one not in (*RELEASED_STATES, State.INTENDED)]
)
def test_unsent_row_is_found_after_every_other(ledger: SyncLedger, first: State) -> None:
    for order in ((first, State.INTENDED), (State.INTENDED, first)):
        intent, ids = claim_all(ledger, *order)
        assert ledger.claim(intent, "key").id == ids[order.index(first)]
        execute(ledger, "UPDATE requests SET state = 'forgotten'")


def test_completed_row_is_found_before_an_unclear_one(ledger: SyncLedger) -> None:
    intent, ids = claim_all(ledger, State.COMPLETED, State.UNKNOWN, State.EMPTY, State.PARTIAL)
    assert ledger.claim(intent, "key").id == ids[0]
    found = ledger.find_reusable(intent.fingerprints, reuse=True)
    assert found is not None and found.id == ids[0]


def test_reuse_off_passes_every_completed_row(ledger: SyncLedger) -> None:
    intent, ids = claim_all(ledger, State.COMPLETED, State.PARTIAL, State.REFUSED)
    assert ledger.find_reusable(intent.fingerprints, reuse=False) is None
    new = ledger.claim(intent, "key", reuse=False)
    assert new.id not in ids and new.fingerprint == "own" and new.state is State.INTENDED
    states: list[Any] = [ledger.get_record(one).state for one in ids]
    assert states == [State.FORGOTTEN, State.FORGOTTEN, State.REFUSED]


def test_reuse_off_is_held_by_an_unclear_row(ledger: SyncLedger) -> None:
    intent, ids = claim_all(ledger, State.COMPLETED, State.UNKNOWN)
    assert ledger.claim(intent, "key", reuse=False).id == ids[1]
    assert ledger.get_record(ids[0]).state in STORED_STATES


def test_ended_request_is_not_reused(ledger: SyncLedger) -> None:
    intent, _ = claim_all(ledger, *RELEASED_STATES)
    with ledger.database.write(durable=False):
        assert choose_row(find_rows(ledger.database, intent.fingerprints), reuse=True) is None


# ---- references whose picture becomes known after they were paid for ----


@pytest.mark.parametrize("mark", ["X-Amz-Signature", "sig"])
def test_paid_signed_url_is_recognised_once_stored(ledger: SyncLedger, mark: str) -> None:
    """As where the result of one node, not stored yet, is the reference image of another."""
    first, second = (f"https://cdn.example.com/a.png?Expires={n}&{mark}={n}" for n in "12")
    row = ledger.claim(known(ledger, f"url:{first}", "sha256:b"), "key")
    assert row.references[0].startswith("url-sha256:")
    give(ledger, first, "sha256:a")
    assert ledger.claim(known(ledger, f"url:{first}", "sha256:b"), "key").id == row.id
    give(ledger, second, "sha256:a")
    assert ledger.claim(known(ledger, f"url:{second}", "sha256:b"), "key").id == row.id
    assert ledger.claim(known(ledger, "sha256:a", "sha256:b"), "key").id == row.id
    assert ledger.claim(known(ledger, "sha256:b", f"url:{second}"), "key").id != row.id
