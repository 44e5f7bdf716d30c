"""Profiles: each request is sent, and each task polled, with the right key."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from seedream_api import ConfigurationError, Request, collect, collect_all, generate
from seedream_api.sandbox.accounts import Account
from support.canary import SECOND_KEY, UNSHAPED_KEY

LATER = "Seedream-4.0"


@pytest.fixture
def shop(make_sandbox: Any, make_api_client: Any) -> Any:
    """A client with a default key and the profile ``studio``, at a sandbox that knows both."""
    sandbox = make_sandbox(keys={UNSHAPED_KEY: Account(), SECOND_KEY: Account()})
    client = make_api_client(sandbox, UNSHAPED_KEY)
    save_profiles(client, studio=SECOND_KEY)
    return client


def save_profiles(client: Any, **keys: str) -> None:
    profiles = {
        name: {"DEEPSPACE_API_KEY": key, "DEEPSPACE_BASE_URL": client.sandbox.url}
        for name, key in keys.items()
    }
    client.home.mkdir(exist_ok=True)
    (client.home / "settings.json").write_text(json.dumps({"profiles": profiles}))


def count_keys(client: Any, method: str) -> Counter[str]:
    """Count the requests of a method per key."""
    return Counter(
        request.headers["authorization"].removeprefix("Bearer ")
        for request in client.sandbox.requests
        if request.method == method
        and "/images/" in request.path
        and "authorization" in request.headers
    )


def cat(seed: int = 0) -> Request:
    return Request(model=LATER, prompt="A cat", seed=seed)


def test_two_profiles_of_one_session_bill_their_own_keys(shop: Any) -> None:
    async def work(session: Any) -> None:
        await asyncio.gather(
            generate(cat(1), session),
            *(generate(cat(seed), session, profile="studio") for seed in (2, 3)),
        )

    shop.run(work)
    assert count_keys(shop, "POST") == {UNSHAPED_KEY: 1, SECOND_KEY: 2}
    assert set(count_keys(shop, "GET")) == {UNSHAPED_KEY, SECOND_KEY}
    assert shop.states == ["completed"] * 3


def test_unknown_profile_sends_nothing(shop: Any) -> None:
    for profile in ("gone", SECOND_KEY):
        with pytest.raises(ConfigurationError) as caught:
            shop.generate(profile=profile)
        assert SECOND_KEY not in str(caught.value)
    assert shop.sandbox.requests == [] and shop.rows == []


def test_equal_request_of_another_profile_is_not_paid_again(shop: Any) -> None:
    shop.generate()
    again = shop.generate(profile="studio")
    assert again.is_reused and shop.sent == 1


def test_task_is_polled_with_the_profile_that_made_it(shop: Any) -> None:
    mine = shop.generate(wait=False).task_id
    theirs = shop.generate(wait=False, profile="studio", seed=1).task_id
    made = shop.run(lambda session: collect_all([mine, theirs], session))
    assert made.status == "completed" and len(made.images) == 2
    assert count_keys(shop, "GET") == {UNSHAPED_KEY: 1, SECOND_KEY: 1}


def test_task_of_another_profile_ignores_the_given_one(shop: Any) -> None:
    task_id = shop.generate(wait=False).task_id
    made = shop.run(lambda session: collect(task_id, session, profile="studio"))
    assert made.status == "completed" and set(count_keys(shop, "GET")) == {UNSHAPED_KEY}


def test_task_is_polled_with_the_renamed_profile(shop: Any) -> None:
    task_id = shop.generate(wait=False, profile="studio").task_id
    save_profiles(shop, atelier=SECOND_KEY)
    made = shop.run(lambda session: collect(task_id, session))
    assert made.status == "completed" and set(count_keys(shop, "GET")) == {SECOND_KEY}


def test_task_made_elsewhere_is_polled_with_the_given_profile(
    shop: Any, make_api_client: Any, tmp_path: Any
) -> None:
    task_id = shop.generate(wait=False, profile="studio").task_id
    other = make_api_client(shop.sandbox, UNSHAPED_KEY, SEEDREAM_HOME=str(tmp_path / "other"))
    other.home = tmp_path / "other"
    save_profiles(other, studio=SECOND_KEY)
    made = other.run(lambda session: collect(task_id, session, profile="studio"))
    assert made.status == "completed" and set(count_keys(shop, "GET")) == {SECOND_KEY}


def test_equal_request_is_continued_with_the_first_key(shop: Any) -> None:
    shop.generate(wait=False, profile="studio")
    made = shop.generate()
    assert made.status == "completed" and shop.sent == 1
    assert set(count_keys(shop, "GET")) == {SECOND_KEY}


def test_intended_row_of_a_dead_process_takes_the_new_key(shop: Any) -> None:
    from seedream_api.jobs.generate import build_spec
    from seedream_api.service.validation import validate_request

    async def intend(session: Any) -> None:
        resources = await session.profiles.get("studio")
        spec = await build_spec(validate_request(cat(), session.settings.models), resources)
        await session.ledger.claim(spec, "key")

    shop.run(intend)
    before = shop.rows[0].key_fingerprint
    shop.generate()
    assert count_keys(shop, "POST") == {UNSHAPED_KEY: 1}
    assert shop.rows[0].key_fingerprint != before


def test_running_task_of_a_profile_is_joined_without_key(shop: Any) -> None:
    async def work(session: Any) -> Any:
        first = await generate(cat(), session, wait=False, profile="studio")
        return await collect(first.task_id, session)

    made = shop.run(work, DEEPSPACE_API_KEY="")
    assert made.status == "completed" and set(count_keys(shop, "GET")) == {SECOND_KEY}


def test_session_of_a_profile_needs_no_default_key(shop: Any) -> None:
    task_id = shop.generate(wait=False, profile="studio").task_id
    made = shop.run(lambda session: collect(task_id, session), DEEPSPACE_API_KEY="")
    assert made.status == "completed"


def test_command_sends_and_polls_with_the_profile(shop: Any, tmp_path: Any) -> None:
    words = ("--model", LATER, "--prompt", "A cat", "--out", tmp_path, "--no-wait", "--json")
    ran = shop.inside("generate", *words, "--profile", "studio")
    assert ran.code == 0 and count_keys(shop, "POST") == {SECOND_KEY: 1}
    assert shop.inside("poll", ran.json["task_id"], "--out", tmp_path, "--json").code == 0
    assert set(count_keys(shop, "GET")) == {SECOND_KEY}
    wrong = shop.inside("generate", *words, "--profile", "gone")
    assert wrong.code == 2 and shop.sent == 1
    assert wrong.json["error"]["type"] == "ConfigurationError"


def test_task_made_elsewhere_is_polled_after_a_wrong_profile(
    shop: Any, make_api_client: Any, tmp_path: Any
) -> None:
    task_id = shop.generate(wait=False, profile="studio").task_id
    other = make_api_client(shop.sandbox, UNSHAPED_KEY, SEEDREAM_HOME=str(tmp_path / "other"))
    other.home = tmp_path / "other"
    save_profiles(other, studio=SECOND_KEY)
    assert other.inside("poll", task_id, "--out", tmp_path, "--json").code != 0
    assert other.inside("poll", task_id, "--out", tmp_path, "--profile", "studio").code == 0


def test_recovery_polls_each_task_with_its_own_key(shop: Any) -> None:
    from seedream_api.jobs.recovery import Attempts, recover

    for seed, profile in enumerate(("", "studio")):
        shop.run(
            lambda session, seed=seed, profile=profile: generate(
                cat(seed), session, wait=False, profile=profile
            )
        )
    before = count_keys(shop, "GET")
    found = shop.run(lambda session: recover(session, Attempts(shop.clock)))
    assert set(found.stored) == {1, 2} and not found.failed
    assert count_keys(shop, "GET") - before == Counter({UNSHAPED_KEY: 1, SECOND_KEY: 1})
    assert shop.sent == 2 and shop.states == ["completed", "completed"]


def test_task_of_a_removed_profile_says_so_and_sends_nothing(shop: Any) -> None:
    task_id = shop.generate(wait=False, profile="studio").task_id
    save_profiles(shop)
    before = len(shop.sandbox.requests)
    with pytest.raises(ConfigurationError, match="'studio', which no longer exists"):
        shop.run(lambda session: collect(task_id, session))
    assert len(shop.sandbox.requests) == before


def test_rows_and_export_carry_the_profile(shop: Any, tmp_path: Any) -> None:
    made = shop.generate(profile="Studio", seed=1)
    shop.generate(seed=2)
    assert made.profile == made.to_dict()["profile"] == "studio"
    assert [row.profile for row in shop.rows] == ["studio", None]
    exported = shop.inside("tasks", "--export", tmp_path / "all.json", "--json").json["tasks"]
    assert [task["profile"] for task in exported] == ["", "studio"]
    lines = shop.inside("usage", "--by", "profile", "--since", "2000-01-01", "--json").json["lines"]
    assert {line["profile"]: line["requests"] for line in lines} == {"": 1, "studio": 1}
