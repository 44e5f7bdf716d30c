"""Controls and faults of the service for tests."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading

import pytest

from support.fake_service import (
    SANDBOX_KEY,
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    ExpiredLink,
    Json,
    Oversized,
    PartialGroup,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    no_channel,
    rate_limited,
)
from support.sandbox_calls import (
    GENERATE,
    LATER_40,
    NOW_5,
    START,
    Caller,
    Response,
    picture,
)

# ---- controls ----


def test_log_has_the_whole_request(caller: Caller) -> None:
    caller.post(prompt="A cat")
    [taken] = caller.sandbox.requests
    assert (taken.method, taken.path, taken.status, taken.at) == ("POST", GENERATE, 200, START)
    assert taken.json["prompt"] == "A cat" and json.loads(taken.body) == taken.json
    assert taken.headers["content-type"] == "application/json" and taken.fault is None
    taken.headers.clear()
    assert caller.sandbox.requests[0].headers


def test_connection_serves_chunked_bodies_and_is_kept(caller: Caller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=20)
    headers = {"Authorization": f"Bearer {SANDBOX_KEY}", "Content-Type": "application/json"}
    for _ in range(3):
        pieces = iter([b'{"model":"Seedream-4.0",', b'"prompt":"A cat"}'])
        connection.request("POST", GENERATE, pieces, headers, encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 200 and json.loads(response.read())["model"] == LATER_40
        connection.request("GET", "/nowhere", headers=headers)
        assert connection.getresponse().read()
    used = connection.sock
    connection.request("GET", "/v1/models", headers=headers)
    assert connection.getresponse().read() and connection.sock is used
    connection.close()


def test_hold_keeps_responses_and_tasks_back(caller: Caller) -> None:
    path = caller.task()
    caller.sandbox.hold()
    responses: list[Response] = []
    thread = threading.Thread(target=lambda: responses.append(caller.post(model=NOW_5)))
    thread.start()
    while caller.sandbox.images_made < 2:  # Ends as soon as the request is taken.
        thread.join(0.005)
    caller.sandbox.finish_tasks()
    assert caller.get(path).json["status"] == "processing" and not responses
    assert caller.sandbox.posts[-1].status is None
    caller.sandbox.release()
    thread.join(20)
    assert responses[0].status == 200 and caller.get(path).json["status"] == "completed"
    caller.sandbox.hold()
    assert caller.get(path).json["status"] == "completed"


def test_stop_ends_a_held_request(caller: Caller) -> None:
    caller.sandbox.hold()
    failures: list[Exception] = []

    def call() -> None:
        try:
            caller.post(model=NOW_5)
        except (http.client.HTTPException, OSError) as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while not caller.sandbox.posts:
        thread.join(0.005)
    caller.sandbox.stop()
    thread.join(20)
    assert failures and caller.sandbox.images_made == 1


def test_incomplete_body_is_not_logged(caller: Caller) -> None:
    with socket.create_connection(("127.0.0.1", caller.sandbox.port)) as connection:
        connection.sendall(b"POST /v1/images/generations HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert caller.sandbox.requests == []


# ---- faults ----


def test_statuses_come_in_order_uncharged(caller: Caller) -> None:
    faults = caller.sandbox.faults
    faults.push("generate", rate_limited(retry_after=2))
    faults.push("generate", no_channel(LATER_40), times=2)
    faults.push("generate", Status(502, "<html>Bad gateway</html>"))
    limited = caller.post()
    assert (limited.status, limited.headers["retry-after"]) == (429, "2")
    assert "请求数限制" in limited.error["message"] and limited.error["type"] == "new_api_error"
    for _ in range(2):
        assert caller.post().error["code"] == "model_not_found"
    gateway = caller.post()
    assert gateway.status == 502 and gateway.headers["content-type"].startswith("text/html")
    assert caller.sandbox.images_made == 0 and caller.sandbox.posts == []
    assert [taken.fault for taken in caller.sandbox.requests] == ["Status"] * 4
    assert caller.post().status == 200
    assert len(caller.sandbox.posts) == 1 and caller.sandbox.images_made == 1


def test_charged_status_is_charged(caller: Caller) -> None:
    caller.sandbox.faults.push("generate", Status(504, charged=True), times=2)
    response = caller.post()
    assert response.status == 504 and "(request id: " in response.error["message"]
    assert caller.sandbox.images_made == 1 and len(caller.sandbox.posts) == 1
    assert caller.post(n=99).status == 400  # What the service refuses stays refused.


def test_drops_are_charged_only_after_receipt(caller: Caller) -> None:
    caller.sandbox.faults.push("generate", DropBeforeReceipt())
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        caller.post()
    assert caller.sandbox.requests == [] and caller.sandbox.images_made == 0
    caller.sandbox.faults.push("generate", DropAfterReceipt())
    with pytest.raises(http.client.RemoteDisconnected):
        caller.post()
    [taken] = caller.sandbox.posts
    assert (taken.status, taken.fault) == (None, "DropAfterReceipt")
    assert caller.sandbox.images_made == 1


def test_replaced_responses(caller: Caller) -> None:
    faults = caller.sandbox.faults
    faults.push("generate", WrongType())
    assert b"<!doctype html>" in caller.post().body and caller.sandbox.posts == []
    faults.push("generate", Json({"data": []}))
    assert caller.post().json == {"data": []} and caller.sandbox.images_made == 1
    faults.push("models", Json({"success": False, "message": "无权限"}))
    assert caller.get("/v1/models").json["message"] == "无权限"
    faults.push("usage", Status(404))
    assert caller.get("/api/usage/token").status == 404
    faults.push("upload", Status(500, {"error": "disk"}))
    assert caller.ask("POST", "/sandbox/images", picture()).status == 500
    faults.push("image", ExpiredLink())
    [item] = caller.finished(quality="1K")
    assert caller.get(item["url"]).status == 403 and caller.get(item["url"]).status == 200
    faults.push("image", RedirectTo("http://127.0.0.1:9/x"))
    assert caller.get(item["url"]).headers["location"] == "http://127.0.0.1:9/x"


def test_cut_and_long_responses(caller: Caller) -> None:
    faults = caller.sandbox.faults
    [item] = caller.finished(quality="1K")
    true = caller.get(item["url"]).body
    faults.push("image", Truncated())
    with pytest.raises(http.client.IncompleteRead) as cut:
        caller.get(item["url"])
    assert cut.value.partial == true[: len(true) // 2]
    for framing in ("chunked", "length"):
        faults.push("image", Oversized(300_000, framing))
        body = caller.get(item["url"]).body
        assert len(body) == 300_000 and body.startswith(true[:1000])
    faults.push("image", Oversized(300_000, "lying"))
    assert len(caller.get(item["url"]).body) == 1000
    faults.push("image", Oversized(9_000_000, "gzip"))
    packed = caller.get(item["url"])
    assert packed.headers["content-encoding"] == "gzip" and len(packed.body) < 300_000
    assert len(gzip.decompress(packed.body)) == 9_000_000
    faults.push("image", SlowDrip(20_000, 0.0))
    assert caller.get(item["url"]).body == true
    faults.push("image", Delay(0.0))
    assert caller.get(item["url"]).body == true


def test_partial_group_fails_some_images(caller: Caller) -> None:
    faults = caller.sandbox.faults
    faults.push("generate", PartialGroup((1, 2)))
    items = caller.finished(prompt="4 images", n=4)
    assert [list(item) for item in items] == [["url"], ["error"], ["error"], ["url"]]
    assert set(items[1]["error"]) == {"code", "message"} and caller.sandbox.images_made == 2
    faults.push("generate", PartialGroup((0,)))
    assert list(caller.post(model=NOW_5).json["data"][0]) == ["error"]
    assert caller.sandbox.images_made == 2
    path = caller.task(prompt="2 images", n=2)
    faults.push("task", PartialGroup((0,)))
    assert caller.get(path).json["status"] == "queued"
    caller.sandbox.finish_tasks()
    assert [list(item) for item in caller.get(path).json["output"]["data"]] == [["error"], ["url"]]


def test_empty_completed_has_no_results(caller: Caller) -> None:
    caller.sandbox.faults.push("generate", EmptyCompleted(), times=2)
    assert caller.finished() == [] and caller.post(model=NOW_5).json["data"] == []
    assert caller.sandbox.images_made == 0


def test_impossible_faults_cannot_be_queued(caller: Caller) -> None:
    faults = caller.sandbox.faults
    for route, fault in (("nowhere", Delay(1)), ("task", ExpiredLink()),
                         ("image", PartialGroup((0,)))):  # fmt: skip
        with pytest.raises(ValueError, match=route):
            faults.push(route, fault)
    with pytest.raises(ValueError, match="times"):
        faults.push("task", Delay(1), times=0)


def test_concurrent_requests_are_counted(caller: Caller) -> None:
    paths: list[str] = []
    threads = [threading.Thread(target=lambda: paths.append(caller.task())) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(paths)) == len(caller.sandbox.posts) == caller.sandbox.images_made == 40


def test_server_is_silent_on_stderr(caller: Caller, capfd: pytest.CaptureFixture[str]) -> None:
    caller.post()
    with socket.create_connection(("127.0.0.1", caller.sandbox.port)) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\n")
    caller.sandbox.stop()
    assert capfd.readouterr() == ("", "")
