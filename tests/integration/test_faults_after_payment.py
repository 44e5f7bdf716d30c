"""Faults of polls and downloads: the images are paid for by then, and none may be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import (
    Origin,
    PartialResult,
    ReadFailed,
    Request,
    Result,
    ResultUnavailable,
    TaskNotFound,
    generate,
)
from seedream_api.downloads.downloader import Downloader
from seedream_api.network.clock import REAL, Clock
from seedream_api.network.throttle import Throttle
from support.fake_service import (
    Account,
    DropAfterReceipt,
    DropBeforeReceipt,
    ExpiredLink,
    FakeService,
    Fault,
    Json,
    Oversized,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    rate_limited,
)
from support.late_faults import LATER_40, NOW_5, failed

GROUP: dict[str, Any] = {"prompt": "3 images of a cat", "n": 3}


def named(fault: Fault) -> str:
    return f"{fault.name}-{getattr(fault, 'code', getattr(fault, 'framing', ''))}"


# ---- while polling ----


@pytest.mark.parametrize(
    "fault",
    [rate_limited(30), Status(500), Status(502, "<h1>Bad gateway</h1>"), Status(503), Truncated(),
     WrongType(), DropAfterReceipt(), DropBeforeReceipt(), Json({}), Json([]), Status(404),
     Json({"id": "x", "status": "somehow"}), RedirectTo("http://127.0.0.1:9/")],
    ids=named,
)  # fmt: skip
def test_blip_while_polling_loses_nothing(api_client: Any, fault: Fault) -> None:
    api_client.sandbox.faults.push("task", fault, times=2)
    began = api_client.clock()
    assert len(api_client.generate(**GROUP).images) == 3 and api_client.sent == 1
    if fault == rate_limited(30):
        assert api_client.clock() - began >= 60


def test_polling_that_never_works_says_that_the_task_runs(api_client: Any) -> None:
    api_client.sandbox.faults.push("task", Status(500), times=500)
    error = failed(api_client, **GROUP)
    assert isinstance(error, ReadFailed) and error.may_have_been_charged and error.task_id
    assert "The task is still running at the service" in str(error) and api_client.states == [
        "accepted"
    ]
    ran = api_client.inside("poll", error.task_id, "--json")
    assert (ran.code, ran.json["status"], ran.json["may_have_been_charged"]) == (1, "error", True)
    api_client.sandbox.faults.clear()
    again = api_client.generate(**GROUP)
    assert again.origin is Origin.RESUMED and len(again.images) == 3 and api_client.sent == 1


@pytest.mark.parametrize("status", [401, 404])
def test_task_that_is_no_longer_shown_is_not_paid_for_again(api_client: Any, status: int) -> None:
    task_id = api_client.generate(**GROUP, wait=False).task_id
    api_client.sandbox.faults.push("task", Status(status), times=100)  # for more than a minute
    error = failed(api_client, **GROUP)
    api_client.sandbox.faults.clear()
    assert error.exit_code == 3 and error.task_id == task_id and error.may_have_been_charged
    assert len(api_client.generate(**GROUP).images) == 3 and api_client.sent == 1


# ---- while fetching ----


def test_paid_image_may_take_long_on_a_slow_line(
    sandbox: FakeService, make_api_client: Callable[..., Any]
) -> None:
    """More than five minutes for one image, by a clock that runs two hundred times as fast."""
    api_client = make_api_client(sandbox)
    sandbox.faults.push("image", SlowDrip(20_000, 0.1), times=20)
    fast = Clock(lambda: time.monotonic() * 200, lambda seconds: asyncio.sleep(seconds / 200))

    async def road(session: Any) -> tuple[Result, float]:
        gate = Throttle(1, clock=REAL)
        session.resources.downloader = Downloader(
            session.client.transport, throttle=gate, attempt_clock=fast
        )
        begun = fast.monotonic()
        wish = Request(model=NOW_5, prompt="A cat", size="4K", output_format="png")
        return await generate(wish, session), fast.monotonic() - begun

    result, took_s = api_client.run(road)
    assert result.status == "completed" and took_s > 300 and result.images[0].bytes > 400_000


@pytest.mark.parametrize(
    "fault",
    [rate_limited(20), Status(500), Status(503), Truncated(), DropAfterReceipt(), SlowDrip(900, 0),
     DropBeforeReceipt()],
    ids=named,
)  # fmt: skip
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_blip_while_fetching_loses_nothing(api_client: Any, fault: Fault, model: str) -> None:
    api_client.sandbox.faults.push("image", fault, times=2)
    result = api_client.generate(model=model)
    assert len(result.images) == 1 and api_client.sent == 1
    assert result.images[0].path.stat().st_size == result.images[0].bytes


@pytest.mark.parametrize("code", [403, 404])
def test_expired_link_is_renewed_through_its_task(api_client: Any, code: int) -> None:
    api_client.sandbox.faults.push("image", Status(500), times=1000)
    failed(api_client, **GROUP)
    api_client.sandbox.faults.clear()
    api_client.clock.at += 3600
    api_client.sandbox.faults.push("image", ExpiredLink(code), times=3)
    result = api_client.generate(**GROUP)
    assert result.status == "completed" and len(result.images) == 3 and api_client.sent == 1


def test_links_that_have_expired_since_are_renewed(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox())
    api_client.sandbox.results.life_s = 60.0
    api_client.sandbox.results.now = api_client.clock
    first = api_client.generate(**GROUP)
    first.images[1].path.unlink()
    api_client.clock.at += 3600
    again = api_client.generate(**GROUP)
    assert [image.sha256 for image in again.images] == [image.sha256 for image in first.images]
    assert again.urls != first.urls and api_client.sent == 1


@pytest.mark.parametrize(
    "fault",
    [ExpiredLink(), Status(500), Truncated(), WrongType(), RedirectTo("http://169.254.169.254/a"),
     RedirectTo("file:///etc/passwd"), Oversized(300_000, "length"), Oversized(300_000, "chunked"),
     Oversized(300_000, "gzip")],
    ids=named,
)  # fmt: skip
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_image_that_cannot_be_fetched_stays_paid_for(
    api_client: Any, monkeypatch: pytest.MonkeyPatch, fault: Fault, model: str
) -> None:
    from seedream_api.downloads.downloader import Downloader

    bounded = {**(Downloader.fetch.__kwdefaults__ or {}), "max_bytes": 200_000}
    monkeypatch.setattr(Downloader.fetch, "__kwdefaults__", bounded)
    api_client.sandbox.faults.push("image", fault, times=1000)
    for _ in range(2):
        error = failed(api_client, model=model)
        assert isinstance(error, ResultUnavailable) and error.exit_code == 1
        assert error.may_have_been_charged and "Nothing was charged" not in str(error)
        assert api_client.states == ["answered"]
    ran = api_client.inside("generate", "--model", model, "--prompt", "A cat", "--json")
    assert (ran.code, ran.json["status"], ran.json["may_have_been_charged"]) == (1, "error", True)
    api_client.sandbox.faults.clear()
    result = api_client.generate(model=model)
    assert result.origin is Origin.RESUMED and len(result.images) == 1 and api_client.sent == 1
    assert api_client.states == ["completed"]
    assert not list((api_client.home / "images").rglob("*.part"))


def test_one_image_of_a_group_that_cannot_be_fetched(api_client: Any) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(410), times=4)
    first = api_client.generate(**GROUP)
    assert (first.status, len(first.images), len(first.failures)) == ("partial", 2, 1)
    assert api_client.states == ["answered"] and first.charged_images == 3  # fetched or not
    api_client.sandbox.faults.push("image", ExpiredLink(410), times=2)
    with pytest.raises(PartialResult):
        api_client.generate(**GROUP, SEEDREAM_PARTIAL="fail")
    again = api_client.generate(**GROUP)
    assert (len(again.images), again.charged_images, api_client.sent) == (3, 0, 1)


def test_expired_link_without_task_keeps_other_images(api_client: Any) -> None:
    task_id = api_client.generate(**GROUP, wait=False).task_id

    async def road(session: Any) -> Result:
        look = session.client.get_task

        async def look_once(asked: str, *_: Any) -> Any:
            session.resources.poll = broken
            return await look(asked)

        async def broken(asked: str, *_: Any) -> Any:
            raise ReadFailed("read_failed", task_id=asked, reason="HTTP 500")

        session.resources.poll = look_once
        from seedream_api import collect

        return await collect(task_id, session)

    api_client.sandbox.faults.push("image", ExpiredLink(410))
    result = api_client.run(road)
    assert (len(result.images), len(result.failures)) == (2, 1)
    assert len(api_client.generate(**GROUP).images) == 3 and api_client.sent == 1


def test_missing_task_with_expired_links_says_it_was_paid_for(
    api_client: Any,
) -> None:
    api_client.sandbox.faults.push("image", Status(500), times=1000)
    failed(api_client, **GROUP)
    api_client.sandbox.faults.clear()
    api_client.clock.at += 2 * 86_400
    api_client.sandbox.faults.push("image", ExpiredLink(), times=3)
    api_client.sandbox.faults.push("task", Status(404))
    error = failed(api_client, **GROUP)
    assert error.key == "result_gone" and error.may_have_been_charged
    assert f"--forget {api_client.rows[0].id}" in str(error) and api_client.sent == 1


def test_dead_links_of_a_task_of_another_key(make_sandbox: Any, make_api_client: Any) -> None:
    sandbox = make_sandbox(keys={"key-one": Account(), "key-two": Account()})
    first, second = (make_api_client(sandbox, key) for key in ("key-one", "key-two"))
    sandbox.faults.push("image", Status(500), times=1000)
    failed(first, **GROUP)
    sandbox.faults.clear()
    for other in (second, make_api_client(sandbox, "key-gone")):  # 404 and 401
        other.clock.at = first.clock.at + 3600
        sandbox.faults.push("image", ExpiredLink(), times=3)
        error = failed(other, **GROUP)
        assert isinstance(error, TaskNotFound) and "created with another key" in str(error)
        assert error.may_have_been_charged
    assert len(first.generate(**GROUP).images) == 3 and len(sandbox.posts) == 1


# ---- where a key may go ----


def seen(sandbox: Any) -> str:
    return str([(request.path, request.headers) for request in sandbox.requests])
