"""Machines with one ledger in PostgreSQL and one store in a bucket of a real S3 server."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from pathlib import Path
from typing import Any

import pytest

from seedream_api import ConfigurationError, Request, ResultUnavailable, generate
from seedream_api.config.settings import Settings
from seedream_api.doctor import run_checks
from seedream_api.jobs import shared_store as store_module
from seedream_api.jobs.load_urls import load_urls
from support.api_client import ApiClient, Machine
from support.fake_service import ExpiredLink, Status
from support.s3_kit import MODEL, pixels, read_objects, shared_store, write_object
from support.s3_server import SECRET, S3Server

PREFERENTIAL = "Seedream-4.5-Preferential"
REFUSED = (403, "AccessDenied", "Access Denied")


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Give the folder of the bucket that only this test uses."""
    return tmp_path.name


@pytest.fixture
def store(server: S3Server, prefix: str) -> dict[str, str]:
    return shared_store(server, prefix)


def lose_links(client: ApiClient) -> None:
    """Let neither a link nor a task serve an image again."""
    client.sandbox.faults.push("image", ExpiredLink(410), times=100)
    client.sandbox.faults.push("task", Status(404), times=100)


@pytest.mark.parametrize("model", [MODEL, PREFERENTIAL])
def test_other_machine_returns_image_from_the_bucket(
    machine: Machine, store: dict[str, str], server: S3Server, prefix: str, model: str
) -> None:
    one, other = machine("one"), machine("other")
    made = one.generate(model=model, **store)
    data = made.images[0].read_bytes()
    name = f"{prefix}/{made.images[0].path.relative_to(one.home / 'images').as_posix()}"
    assert read_objects(server, prefix) == {name: data} and made.notes == ()
    lose_links(one)
    asked = len(one.sandbox.requests)
    again = other.generate(model=model, **store)
    assert again.images[0].read_bytes() == data and other.home in again.images[0].path.parents
    assert again.is_reused and again.charged_images == 0 and again.notes == ()
    assert one.sent == 1 and len(one.sandbox.requests) == asked
    assert other.generate(model=model, **store).images == again.images


@pytest.mark.parametrize("later", ["collect", "deliver"])
def test_bucket_that_failed_gets_the_image_later(
    machine: Machine,
    store: dict[str, str],
    server: S3Server,
    prefix: str,
    caplog: pytest.LogCaptureFixture,
    later: str,
) -> None:
    one = machine("one")
    server.refusal = REFUSED
    with caplog.at_level(logging.DEBUG):
        made = one.generate(**store)
    assert made.status == "completed" and made.images[0].path.exists()
    [note] = made.notes
    assert "not in the shared store yet" in note and "AccessDenied" in note
    assert "尚未写入共享存储" in getattr(note, "zh", "") and SECRET not in caplog.text + note
    server.refusal = None
    if later == "collect":
        ran = one.inside("tasks", "--collect", "--json", **store)
        assert (ran.code, ran.json["shared"], ran.json["unshared"]) == (0, 1, 0)
    else:
        assert one.generate(**store).notes == ()
    assert list(read_objects(server, prefix).values()) == [made.images[0].read_bytes()]
    lose_links(one)
    assert machine("other").generate(**store).images and one.sent == 1


def test_wrong_bytes_in_the_bucket_are_refused(
    machine: Machine, store: dict[str, str], server: S3Server, prefix: str
) -> None:
    one, other = machine("one"), machine("other")
    data = one.generate(model=PREFERENTIAL, **store).images[0].read_bytes()
    [name] = read_objects(server, prefix)
    write_object(server, name, data[:-1] + bytes([data[-1] ^ 1]))
    lose_links(one)
    with pytest.raises(ResultUnavailable) as caught:
        other.generate(model=PREFERENTIAL, **store)
    assert caught.value.key == "result_elsewhere" and caught.value.may_have_been_charged
    assert not [path for path in (other.home / "images").rglob("*.*") if path.is_file()]
    one.sandbox.faults.clear()
    again = other.generate(model=PREFERENTIAL, **store)
    assert again.images[0].read_bytes() == data and one.sent == 1
    assert read_objects(server, prefix) == {name: data}


def test_unreadable_bucket_does_not_advise_to_pay_again(
    machine: Machine, store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machine("one"), machine("other")
    one.generate(model=PREFERENTIAL, **store)
    lose_links(one)
    monkeypatch.setattr(store_module, "MAX_RETRIES", 0)
    closed = {**store, "SEEDREAM_UPLOAD_S3_ENDPOINT": "http://127.0.0.1:9"}
    with pytest.raises(ResultUnavailable) as caught:
        other.generate(model=PREFERENTIAL, **closed)
    assert caught.value.key == "result_not_fetched" and "--forget" not in str(caught.value)
    assert "the shared store cannot be read" in str(caught.value)
    assert other.generate(model=PREFERENTIAL, **store).images and one.sent == 1


def test_data_folder_is_a_bounded_cache(
    api_client: ApiClient, store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: dict[str, int] = {}
    number = Settings.number

    def limit(settings: Settings, name: str) -> float:
        is_limit = name == "SEEDREAM_STORE_GB" and sizes
        return max(sizes.values()) / 1e9 if is_limit else number(settings, name)

    monkeypatch.setattr(Settings, "number", limit)

    async def work(session: Any) -> None:
        async def deliver(prompt: str) -> Any:
            api_client.clock.at += 3600.0
            return (await generate(Request(model=MODEL, prompt=prompt), session)).images[0]

        first = {prompt: (await deliver(prompt)).read_bytes() for prompt in ("a cat", "a dog")}
        sizes.update({prompt: len(data) for prompt, data in first.items()})
        lose_links(api_client)
        for prompt in ("a cat", "a dog", "a cat"):
            image = await deliver(prompt)
            assert image.read_bytes() == first[prompt]
            assert list(session.resources.store.files()) == [image.path]

    api_client.run(work, **store)
    assert api_client.sent == 2


def test_image_of_a_url_is_read_from_the_bucket(
    machine: Machine, store: dict[str, str], tmp_path: Path
) -> None:
    one, other = machine("one"), machine("other")
    made = one.generate(**store)
    lose_links(one)
    [loaded] = other.run(lambda session: load_urls(made.urls, session, tmp_path), **store)
    assert loaded.from_store and loaded.path.read_bytes() == made.images[0].read_bytes()


def test_images_that_are_shown_at_once_are_read_once_each(
    machine: Machine, store: dict[str, str], server: S3Server
) -> None:
    made = machine("one").generate(prompt="A series of 3 images", n=3, **store)
    before = len(server.of("GET"))

    async def work(session: Any) -> Any:
        shared, images = session.resources.shared, await session.ledger.list_images(made.entry)
        show = (shared.restore_images(made.entry, image.sha256) for image in images)
        return await asyncio.gather(*show)

    assert machine("other").run(work, **store) == [None] * 3
    assert len(made.images) == 3 and len(server.of("GET")) - before == 3


def test_copy_of_a_reference_reaches_the_other_machine(
    machine: Machine, store: dict[str, str], server: S3Server, prefix: str
) -> None:
    one = machine("one")
    made = one.generate(pixels(), model=PREFERENTIAL, **store)
    assert [*read_objects(server, prefix).values()] == [made.images[0].read_bytes()]
    assert one.inside("tasks", "--collect", "--json", **store).json["shared"] == 1

    async def work(session: Any) -> Any:
        await session.resources.shared.restore_references(made.entry)
        return await session.ledger.read_inputs(made.entry)

    [reference] = machine("other").run(work, **store).references
    assert reference.path.is_file() and (reference.width, reference.height) == (32, 24)


def check_store(api_client: ApiClient, **environ: str) -> tuple[str, str, str]:
    checks = asyncio.run(run_checks(api_client.settings(**environ)))
    [check] = [check for check in checks if check.name == "store"]
    return check.verdict, check.message, check.message_zh


def test_doctor_tries_the_shared_store(
    api_client: ApiClient, store: dict[str, str], server: S3Server, prefix: str
) -> None:
    verdict, message, chinese = check_store(api_client, **store)
    assert verdict == "ok" and f"s3://pics/{prefix}" in message and "写入、读取" in chinese
    assert len(server.of("PUT")) == 1
    assert not read_objects(server, prefix)
    verdict, message, chinese = check_store(api_client, **shared_store(server, "a", "nowhere"))
    assert verdict == "problem" and "no bucket nowhere" in message and "没有存储桶" in chinese


def test_missing_library_stops_before_anything_is_sent(
    api_client: ApiClient, store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "obstore" else find(name)
    )
    with pytest.raises(ConfigurationError) as caught:
        api_client.generate(**store)
    assert caught.value.key == "no_s3_library" and api_client.sent == 0
    verdict, message, _ = check_store(api_client, **store)
    assert verdict == "problem" and "obstore" in message


def test_broken_library_does_not_keep_the_result(
    api_client: ApiClient, store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = importlib.import_module

    def import_module(name: str) -> Any:
        if name.startswith("obstore"):
            raise ImportError("DLL load failed")
        return real_import(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    made = api_client.generate(**store)
    assert made.status == "completed" and made.images[0].path.exists()
    assert "not in the shared store yet" in made.notes[0] and "DLL load failed" in made.notes[0]
    verdict, message, chinese = check_store(api_client, **store)
    assert verdict == "problem" and "DLL load failed" in message and "无法导入" in chinese


def test_silent_bucket_does_not_keep_the_result(
    api_client: ApiClient,
    store: dict[str, str],
    server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_module, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(store_module, "MAX_RETRIES", 0)
    server.delay_s = 0.5
    made = api_client.generate(**store)
    assert made.status == "completed" and "not in the shared store yet" in made.notes[0]
    assert api_client.sent == 1
