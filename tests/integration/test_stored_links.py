"""Links of stored results that no longer work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import ResultUnavailable
from support.download_kit import PNG
from support.fake_service import Json, Status
from support.hostile_server import RESET, Server, answer, cut_after, redirect
from support.stored_kit import (
    LATER_40,
    NOW_5,
    TWO_DAYS_S,
    UNDECODABLE,
)

LOGIN = b"<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"


DEAD: dict[str, Any] = {
    "ExpiredToken": answer(b"<Error><Code>ExpiredToken</Code></Error>", status="400 Bad Request"),
    "forbidden": answer(LOGIN, status="403 Forbidden"),
    "gone": answer(b"", status="410 Gone"),
    "method": answer(b"", status="405 No"),
    "legal": answer(b"", status="451 No"),
    "web page": answer(LOGIN),
    "XML": answer(b"<?xml version='1.0'?><Error/>", "Content-Type: image/png"),
    "JSON": answer(b'{"code": 404}'),
    "other text": answer(b"expired", "Content-Type: image/png"),
    "empty": answer(b""),
    "no content": answer(b"", status="204 No Content"),
    "cut": answer(PNG[:300]),
    "cut on the way": cut_after(PNG, 300),
    "zeros": answer(bytes(len(PNG))),
    "undecodable": answer(UNDECODABLE[0]),
    "endless errors": answer(b"", status="503 Busy"),
    "closed": b"",
    "reset": [RESET],
    "compressed": answer(bytes(99), "Content-Encoding: br"),
    "redirect to itself": redirect("/a.png"),
    "redirect to a script": redirect("javascript:alert(1)"),
    "redirect to a file": redirect("file:///etc/passwd"),
    "too large": answer(b"\x89PNG\r\n\x1a\n", length=10**12),
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_task_gives_a_fresh_link_whatever_fails_about_the_first(
    api_client: Any, serve: Callable[..., Server], dead: Any
) -> None:
    server = serve(dead)
    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    image = api_client.generate(model=LATER_40).images[0]
    assert image.width > 0 and server.requests and image.url != server.url
    assert (api_client.sent, api_client.states) == (1, ["completed"])


def test_redirect_to_a_login_page_asks_for_a_fresh_link(
    api_client: Any, serve: Callable[..., Server]
) -> None:
    server = serve(redirect("/login"), answer(LOGIN))
    server.scripts = [[redirect("/login")], [answer(LOGIN)]] * 20
    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    assert api_client.generate(model=LATER_40).images[0].width > 0 and api_client.sent == 1


def test_dead_link_is_not_fetched_again_beside_a_fresh_one(
    api_client: Any, serve: Callable[..., Server]
) -> None:
    server = serve(answer(b"", status="410 Gone"))
    group = {"model": LATER_40, "prompt": "2 images of a cat", "n": 2}
    task_id = api_client.generate(**group, wait=False).task_id
    first = {"id": task_id, "status": "completed", "results": [server.url]}
    api_client.sandbox.faults.push("task", Json(first))
    result = api_client.generate(**group)
    assert len(result.images) == 2, "the fresh links name one more image"
    assert len(server.requests) == 1 and api_client.sent == 1


def test_fresh_links_are_asked_for_once(api_client: Any) -> None:
    def polls() -> int:
        return sum(
            one.path.startswith("/v1/images/Seedream") for one in api_client.sandbox.requests
        )

    task_id = api_client.generate(model=LATER_40, wait=False).task_id
    api_client.sandbox.faults.push("image", Status(400), times=1000)
    before = polls()
    with pytest.raises(ResultUnavailable) as caught:
        api_client.generate(model=LATER_40)
    assert caught.value.task_id == task_id and "not paid for" in str(caught.value)
    assert polls() - before <= 2, "one for the task's end, one for fresh links"


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_young_link_has_patience(api_client: Any, model: str, status: int) -> None:
    api_client.sandbox.faults.push("image", Status(status), times=5)
    begun = api_client.clock()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1
    assert api_client.clock() - begun < 30


@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_link_that_may_still_live_advises_no_new_payment(api_client: Any, model: str) -> None:
    api_client.sandbox.faults.push("image", Status(404), times=1000)
    for _ in range(2):
        begun = api_client.clock()
        with pytest.raises(ResultUnavailable) as caught:
            api_client.generate(model=model)
        assert caught.value.key == "result_not_fetched" and "--forget" not in str(caught.value)
        assert api_client.clock() - begun < 80
    api_client.sandbox.faults.clear()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1


def test_old_link_has_no_patience(api_client: Any) -> None:
    api_client.generate(model=NOW_5).images[0].path.unlink()
    api_client.clock.at += TWO_DAYS_S
    api_client.sandbox.faults.push("image", Status(404), times=1000)
    begun = api_client.clock()
    with pytest.raises(ResultUnavailable):
        api_client.generate(model=NOW_5)
    assert api_client.clock() == begun


def test_link_seen_by_a_clock_that_was_ahead_has_patience(api_client: Any) -> None:
    api_client.generate(model=NOW_5).images[0].path.unlink()
    api_client.clock.at -= 3600
    api_client.sandbox.faults.push("image", Status(404), times=3)
    begun = api_client.clock()
    assert api_client.generate(model=NOW_5).images and api_client.clock() - begun < 30


def test_note_says_that_fewer_images_came_than_asked(api_client: Any) -> None:
    ran = api_client.inside(
        "generate", "--model", LATER_40, "--prompt", "A cat", "--n", "4", "--json"
    )
    assert ran.code == 0 and len(ran.json["images"]) == 1
    assert any("1 of at most 4 images arrived" in note for note in ran.json["notes"])
    assert not api_client.generate(prompt="A dog").notes
