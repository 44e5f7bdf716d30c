"""What a session lists, resumes, forgets, uploads and downloads, and two accounts at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from seedream_api import (
    AuthenticationFailed,
    Balance,
    Charge,
    InvalidRequest,
    Request,
    Session,
    State,
    generate,
)
from support.api_client import START, ApiClient
from support.crafted_images import saved


def ask(client: ApiClient, work: Callable[[Session], Any], **environ: str) -> Any:
    return client.run(work, **environ)


def test_jobs_are_listed_newest_first_by_state_and_time(api_client: ApiClient) -> None:
    first = api_client.generate(prompt="one")
    api_client.clock.at = START + 3600
    second = api_client.generate(prompt="two")
    found = ask(api_client, lambda session: session.jobs())
    assert [job.id for job in found] == [second.entry, first.entry]
    assert found[0].row.prompt == "two" and found[0].state is State.COMPLETED
    assert found[0].charge is Charge.MADE and found[0].images[0].file == second.images[0].path

    def count(**options: Any) -> int:
        return len(ask(api_client, lambda session: session.jobs(**options)))

    half = START + 1800
    assert count(since=half) == count(since=timedelta(minutes=30)) == 1
    assert count(since=datetime.fromtimestamp(half, timezone.utc)) == 1
    assert count(limit=1) == 1 and count(state="completed") == 2
    assert count(state=[State.FAILED, "unknown"]) == 0 and count(since=START + 9e9) == 0


def test_jobs_of_an_unknown_state_are_refused(api_client: ApiClient) -> None:
    with pytest.raises(InvalidRequest, match="completed"):
        ask(api_client, lambda session: session.jobs(state="complete"))


def test_jobs_beyond_one_page_are_listed(api_client: ApiClient) -> None:
    from seedream_api.ledger import browsing

    for seed in range(3):
        api_client.generate(seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browsing, "MAX_PAGE", 2)
        found = ask(api_client, lambda session: session.jobs())
    assert [len(job.images) for job in found] == [1, 1, 1]


def test_resume_takes_a_job_its_number_or_its_task(api_client: ApiClient) -> None:
    made = api_client.generate(model="Seedream-4.5", wait=False)

    async def resume(session: Session) -> list[Any]:
        (job,) = await session.jobs()
        return [await session.resume(one) for one in (job, job.id, made.task_id)]

    results = ask(api_client, resume)
    assert [result.status for result in results] == ["completed"] * 3 and api_client.sent == 1


def test_resume_of_an_unknown_job_is_refused(api_client: ApiClient) -> None:
    with pytest.raises(InvalidRequest, match="77"):
        ask(api_client, lambda session: session.resume(77))


def test_forget_lets_the_same_request_be_paid_for_again(api_client: ApiClient) -> None:
    first = api_client.generate()
    ask(api_client, lambda session: session.forget(first.entry))
    assert api_client.states == []
    assert api_client.generate().entry != first.entry and api_client.sent == 2


def test_forget_refuses_a_running_job(api_client: ApiClient) -> None:
    from support.fake_service import Delay

    api_client.sandbox.faults.push("generate", Delay(0.2))

    async def forget(session: Session) -> None:
        running = asyncio.create_task(
            generate(Request(model="Seedream-4.0", prompt="A cat"), session)
        )
        sending = asyncio.Event()
        session.on_change = lambda job: sending.set() if job.is_sending else None
        await sending.wait()
        (job,) = await session.jobs()
        with pytest.raises(InvalidRequest, match="in use"):
            await session.forget(job)
        await running

    api_client.run(forget, real_time=True)
    assert api_client.states == ["completed"] and api_client.sent == 1


def test_balance_is_what_the_relay_states(
    api_client: ApiClient, make_api_client: Callable[..., ApiClient]
) -> None:
    found = ask(api_client, lambda session: session.balance())
    assert isinstance(found, Balance) and found.units and found.dollars == 100
    stranger = make_api_client(api_client.sandbox, key="sk-nobody-knows-this-key")
    with pytest.raises(AuthenticationFailed):
        ask(stranger, lambda session: session.balance())


def test_models_are_those_of_the_settings(api_client: ApiClient) -> None:
    async def models(session: Session) -> Any:
        return session.models()

    assert "Seedream-4.5" in ask(api_client, models)


def test_uploaded_reference_serves_several_requests(api_client: ApiClient, tmp_path: Path) -> None:
    file = tmp_path / "cat.png"
    file.write_bytes(saved("PNG", 32))

    async def several(session: Session) -> list[str]:
        references = await session.upload(file)
        results = [
            await generate(
                Request(model="Seedream-4.5", prompt=prompt, references=references), session
            )
            for prompt in ("one", "two", "three")
        ]
        assert await session.upload(file) == references
        return [result.status for result in results]

    assert ask(api_client, several) == ["completed"] * 3
    uploads = [one for one in api_client.sandbox.requests if one.path == "/sandbox/images"]
    assert api_client.sent == 3 and len(uploads) == 1


def test_download_copies_images_and_reports_each_failure(
    api_client: ApiClient, tmp_path: Path
) -> None:
    made = api_client.generate(model="Seedream-4.5")
    urls = [made.images[0].url, f"{api_client.sandbox.url}/no/such.png"]
    hosts = {"SEEDREAM_ALLOW_HOSTS": "127.0.0.1"}
    found = ask(api_client, lambda session: session.download(urls, tmp_path / "out"), **hosts)
    assert found[0].path.parent == tmp_path / "out" and found[0].from_store
    assert found[0].path.read_bytes() == made.images[0].read_bytes()
    assert found[1].path is None and found[1].error is not None


def test_two_accounts_in_one_process_pay_separately(api_client: ApiClient, tmp_path: Path) -> None:
    from seedream_api.sandbox import SANDBOX_KEY

    url = api_client.sandbox.url
    request = Request(model="Seedream-4.0", prompt="A cat")

    async def both() -> list[Any]:
        async with (
            Session(api_key=SANDBOX_KEY, base_url=url, home=tmp_path / "one") as one,
            Session(api_key="sk-nobody-knows-this-key", base_url=url, home=tmp_path / "two") as two,
        ):
            return await asyncio.gather(
                generate(request, one), generate(request, two), return_exceptions=True
            )

    made, refused = asyncio.run(both())
    assert made.status == "completed" and isinstance(refused, AuthenticationFailed)
    assert (tmp_path / "one" / "ledger.sqlite").is_file()
