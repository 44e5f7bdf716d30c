"""The client with a ledger in PostgreSQL: two machines, a cut connection, a stopped server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedream_api import ConfigurationError, LedgerFailed, Request, Result, generate, load_settings
from seedream_api.jobs import recovery
from seedream_api.service.client import SeedreamClient
from support.api_client import Machine
from support.postgres_server import PASSWORD, PostgresServer

PREFERENTIAL = "Seedream-4.5-Preferential"


@pytest.mark.parametrize("model", ["Seedream-4.0", PREFERENTIAL])
def test_other_machine_gets_the_result_at_no_cost(machine: Machine, model: str) -> None:
    one, other = machine("one"), machine("other")
    first = one.generate(model=model)
    again = other.generate(model=model)
    assert one.sent == 1 and again.charged_images == 0
    path = again.images[0].path
    assert other.home in path.parents and path.read_bytes() == first.images[0].path.read_bytes()
    assert one.generate(model=model).images[0].path == first.images[0].path
    assert not (one.home / "ledger.sqlite").exists()


def test_cut_between_claim_and_send_sends_nothing(
    machine: Machine, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machine("one"), machine("other")
    submit, results = SeedreamClient.submit, list[Result]()

    async def cut_first(client: SeedreamClient, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(SeedreamClient, "submit", submit)
        postgres.cut_connections()
        async with other.session(real_time=True) as session:
            request = Request(model=PREFERENTIAL, prompt="A cat")
            results.append(await generate(request, session))
        return await submit(client, *args, **kwargs)

    monkeypatch.setattr(SeedreamClient, "submit", cut_first)
    with pytest.raises(LedgerFailed) as caught:
        one.generate(model=PREFERENTIAL)
    assert caught.value.key == "row_taken_over" and not caught.value.may_have_been_charged
    assert results[0].charged_images == 1 and one.sent == 1
    assert one.generate(model=PREFERENTIAL).charged_images == 0 and one.sent == 1


def test_stopped_server_sends_nothing_and_run_continues(
    machine: Machine, postgres: PostgresServer
) -> None:
    client = machine("one")

    async def work(session: Any) -> Result:
        postgres.stop()
        try:
            with pytest.raises(LedgerFailed) as caught:
                await generate(Request(model=PREFERENTIAL, prompt="A cat"), session)
        finally:
            postgres.start()
        assert caught.value.key == "ledger_unreachable" and client.sent == 0
        return await generate(Request(model=PREFERENTIAL, prompt="A cat"), session)

    assert client.run(work, real_time=True).status == "completed" and client.sent == 1


def test_other_machine_recovers_what_was_left(machine: Machine) -> None:
    one, other = machine("one"), machine("other")
    assert one.generate(wait=False).task_id
    found = other.run(
        lambda session: recovery.recover(session, recovery.Attempts(lambda: 0.0)), real_time=True
    )
    assert found.stored and found.images == 1 and one.sent == 1


def test_commands_use_the_shared_ledger_and_hide_its_password(machine: Machine) -> None:
    one, other = machine("one"), machine("other")
    one.generate()
    tasks = other.inside("tasks", "--json")
    assert [task["state"] for task in tasks.json["tasks"]] == ["completed"]
    usage = other.inside("usage", "--json", "--since", "1d")
    assert usage.json["total"]["requests"] == 1
    doctor = other.inside("doctor", "--json")
    [check] = [one for one in doctor.json["checks"] if one["name"] == "ledger"]
    assert check["verdict"] == "ok" and "postgresql://127.0.0.1" in check["message"]
    [folder] = [one for one in doctor.json["checks"] if one["name"] == "home"]
    assert folder["verdict"] == "ok" and str(other.home) in folder["message"]
    shown = doctor.out + doctor.err + tasks.out + repr(other.settings())
    assert PASSWORD not in shown and "SEEDREAM_LEDGER" in doctor.out


def test_doctor_names_a_server_that_cannot_be_reached(machine: Machine) -> None:
    url = f"postgresql://seedream:{PASSWORD}@127.0.0.1:1/x"
    doctor = machine("one").inside("doctor", "--json", SEEDREAM_LEDGER=url)
    [check] = [one for one in doctor.json["checks"] if one["name"] == "ledger"]
    assert check["verdict"] == "problem" and "cannot be reached" in check["message"]
    [folder] = [one for one in doctor.json["checks"] if one["name"] == "home"]
    assert folder["verdict"] == "ok"
    assert PASSWORD not in doctor.out + doctor.err


@pytest.mark.parametrize("url", ["mysql://a:canary-word@b/c", "canary-word", "postgresql://"])
def test_bad_ledger_address_is_refused_unshown(home: Path, url: str) -> None:
    (home / "settings.json").parent.mkdir(exist_ok=True)
    (home / "settings.json").write_text(json.dumps({"SEEDREAM_LEDGER": url}))
    with pytest.raises(ConfigurationError) as caught:
        load_settings(home, {})
    assert caught.value.key == "bad_ledger_url" and "canary-word" not in str(caught.value)


def test_doctor_names_a_folder_that_cannot_be_used(machine: Machine) -> None:
    one = machine("one")
    doctor = one.inside("doctor", "--json", SEEDREAM_HOME="/proc/nothing")
    [folder] = [check for check in doctor.json["checks"] if check["name"] == "home"]
    assert folder["verdict"] == "problem" and "/proc/nothing" in folder["message"]
