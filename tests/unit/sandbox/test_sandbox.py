"""The sandbox, and the controls that tests add to it, over real sockets."""

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import os
import re
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from seedream_api.catalog import MAX_REFERENCE_BYTES, MODELS, PIXELS, RATIOS
from seedream_api.sandbox import Sandbox
from support.fake_service import (
    NO_BALANCE_402_KEY,
    NO_BALANCE_KEY,
    SANDBOX_KEY,
    Account,
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    ExpiredLink,
    FakeService,
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

GENERATE = "/v1/images/generations"
START = 1_769_263_230.0
NOW_5, NOW_45 = "Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential"
LATER_5, LATER_45, LATER_40 = "Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0"


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


@dataclass
class Caller:
    """Calls one sandbox, with a new connection per request."""

    sandbox: FakeService
    key: str | None = SANDBOX_KEY

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None and not path.startswith(("/results/", "/sandbox/images/")):
            sent.setdefault("Authorization", f"Bearer {self.key}")
        try:
            connection.request(method, path, body=body, headers=sent)
            got = connection.getresponse()
            lowered = {name.lower(): value for name, value in got.getheaders()}
            return Response(got.status, lowered, got.read())
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Response:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self.ask("GET", path, **headers)

    def post(self, **fields: Any) -> Response:
        body = json.dumps({"model": LATER_40, "prompt": "A cat", **fields}).encode()
        return self.ask("POST", GENERATE, body, Content_Type="application/json")

    def task(self, **fields: Any) -> str:
        response = self.post(**fields)
        assert response.status == 200, response.body
        return f"/v1/images/Seedream/{response.json['id']}"

    def finished(self, **fields: Any) -> list[dict[str, Any]]:
        path = self.task(**fields)
        self.sandbox.finish_tasks()
        return self.get(path).json["output"]["data"]

    def upload(self, data: bytes) -> str:
        response = self.ask("POST", "/sandbox/images", data)
        assert response.status == 200, response.body
        return response.json["url"]


def picture(size: tuple[int, int] = (64, 48), kind: str = "PNG", colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Caller]]:
    started: list[FakeService] = []

    def maker(**options: Any) -> Caller:
        settings = {"preferential_seconds": 0, "task_seconds": 100, "now": clock, **options}
        started.append(FakeService(tmp_path / "home", **settings).start())
        return Caller(started[-1])

    yield maker
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def caller(make: Callable[..., Caller]) -> Caller:
    return make()


# ---- the documented shapes ----


def test_preferential_response_has_the_documented_shape(caller: Caller) -> None:
    response = caller.post(model=NOW_5, prompt="一只猫在草地上玩耍", size="2K", watermark=False)
    assert response.status == 200 and response.headers["content-type"] == "application/json"
    assert list(response.json) == ["data", "created", "model"]
    assert response.json["created"] == int(START) and response.json["model"] == NOW_5
    [item] = response.json["data"]
    assert list(item) == ["url"] and item["url"].startswith(f"{caller.sandbox.url}/results/")
    assert item["url"].endswith(".jpeg")
    image = caller.get(item["url"])
    assert image.headers["content-type"] == "image/jpeg"
    assert size_of(image.body) == PIXELS["2K"]["1:1"]


def test_task_passes_from_queued_to_completed(caller: Caller, clock: Clock) -> None:
    created = caller.post(prompt="4 images of a cat", size="16:9", quality="2K", n=4)
    at = int(START)
    assert created.json == {
        "id": created.json["id"], "object": "image.generation", "model": LATER_40, "created_at": at,
    }  # fmt: skip
    task_id = created.json["id"]
    assert re.fullmatch(r"task-[0-9a-z]{12}", task_id)
    path = f"/v1/images/Seedream/{task_id}"
    assert caller.get(path).json == {"id": task_id, "status": "queued", "created_at": at}
    seen: list[int] = []
    for seconds in (20, 60, 99.9):
        clock.at = START + seconds
        told = caller.get(path).json
        seen.append(told.pop("progress"))
        started = {"created_at": at, "started_at": at + 20}
        assert told == {"id": task_id, "status": "processing", **started}
    assert seen == sorted(seen) and seen[0] == 1 and seen[-1] <= 99
    clock.at = START + 100
    told = caller.get(path).json
    assert list(told) == ["id", "status", "output", "created_at", "completed_at"]
    assert told["status"] == "completed" and told["completed_at"] == at + 100
    assert [list(item) for item in told["output"]["data"]] == [["url"]] * 4
    assert size_of(caller.get(told["output"]["data"][3]["url"]).body) == PIXELS["2K"]["16:9"]


@pytest.mark.parametrize(
    ("prompt", "kind", "word"),
    [("a [fails] cat", "server_error", "failed"),
     ("a [moderated] cat", "upstream_error", "content_policy_violation")],
)  # fmt: skip
def test_failed_task_reports_its_error(caller: Caller, prompt: str, kind: str, word: str) -> None:
    path = caller.task(prompt=prompt)
    caller.sandbox.finish_tasks()
    told = caller.get(path).json
    assert list(told) == ["id", "status", "error", "created_at"]
    assert told["status"] == "failed" and list(told["error"]) == ["message", "type"]
    assert told["error"]["type"] == kind and word in told["error"]["message"]
    assert caller.sandbox.images_made == 0


def test_models_and_usage_have_new_api_shapes(caller: Caller) -> None:
    models = caller.get("/v1/models").json
    assert models["success"] is True and [entry["id"] for entry in models["data"]] == list(MODELS)
    for path in ("/api/usage/token", "/api/usage/token/"):
        usage = caller.get(path).json
        assert usage["code"] is True and usage["data"]["total_available"] > 0
    assert Caller(caller.sandbox, NO_BALANCE_KEY).get(path).json["data"]["total_available"] == 0


def test_shipped_sandbox_serves_both_families(tmp_path: Path) -> None:
    with Sandbox(tmp_path, preferential_seconds=0, task_seconds=0) as sandbox:
        shipped: Any = Caller(sandbox)  # type: ignore[arg-type]
        reference = shipped.upload(picture())
        created = shipped.post(prompt="2 images", n=2, image_urls=[reference])
        task = shipped.get(f"/v1/images/Seedream/{created.json['id']}").json
        assert task["status"] == "completed" and len(task["output"]["data"]) == 2
        immediate = shipped.post(model=NOW_5, image=[data_uri(picture())]).json["data"]
        for item in (*task["output"]["data"], *immediate):
            assert size_of(shipped.get(item["url"]).body) == PIXELS["2K"]["1:1"]
        failed = shipped.post(prompt="a [fails] cat").json["id"]
        assert shipped.get(f"/v1/images/Seedream/{failed}").json["status"] == "failed"
        assert shipped.post(prompt="a [blocked] cat").status == 500
        assert shipped.post(model=NOW_5, prompt="a [moderated] cat").status == 400
        assert shipped.get("/api/usage/token").json["data"]["total_used"] == 150_000


# ---- keys ----


@pytest.mark.parametrize("key", [None, "sk-wrong"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", GENERATE), ("GET", "/v1/images/Seedream/task-000000000000"), ("GET", "/v1/models"),
     ("GET", "/api/usage/token"), ("POST", "/sandbox/images")],
)  # fmt: skip
def test_unknown_key_gets_a_401(caller: Caller, key: str | None, method: str, path: str) -> None:
    response = Caller(caller.sandbox, key).ask(method, path)
    assert response.status == 401 and response.error["type"] == "new_api_error"
    assert list(response.error) == ["message", "type", "param", "code"]
    assert f"(request id: {response.headers['x-oneapi-request-id']})" in response.error["message"]


def test_empty_account_is_refused_uncharged(caller: Caller) -> None:
    relay = Caller(caller.sandbox, NO_BALANCE_KEY).post()
    assert (relay.status, relay.error["code"]) == (403, "insufficient_user_quota")
    evolink = Caller(caller.sandbox, NO_BALANCE_402_KEY).post()
    assert (evolink.status, evolink.error["code"]) == (402, 402)
    assert evolink.error["type"] == "insufficient_quota_error"
    assert caller.sandbox.images_made == 0


def test_task_of_another_key_is_not_found(make: Callable[..., Caller]) -> None:
    mine = make(keys={"sk-one": Account(), "sk-two": Account()})
    mine.key = "sk-one"
    path = mine.task()
    other = Caller(mine.sandbox, "sk-two").get(path)
    assert other.status == 404 and "Task not found or expired" in other.error["message"]
    assert mine.get(path).status == 200 and SANDBOX_KEY not in str(mine.sandbox.requests)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", GENERATE), ("GET", "/v1/images/seedream/task-000000000000"), ("GET", "/v1/tasks/x"),
     ("GET", "/v1/images/Seedream/"), ("POST", f"{GENERATE}/"), ("DELETE", "/v1/models")],
)  # fmt: skip
def test_unknown_path_gets_a_404(caller: Caller, method: str, path: str) -> None:
    response = caller.ask(method, path)
    assert response.status == 404 and response.error["type"] == "invalid_request_error"
    assert response.error["message"].startswith(f"Invalid URL ({method} {path})")


def test_unknown_task_gets_a_404(caller: Caller) -> None:
    for task_id in ("task-000000000000", "pic-000000000000", "..%2f..%2fsecret", "%ff"):
        response = caller.get(f"/v1/images/Seedream/{task_id}")
        assert response.status == 404 and "Task not found or expired" in response.error["message"]
    at_once = caller.post(model=NOW_5).json["data"][0]["url"]
    assert caller.get(f"/v1/images/Seedream/{at_once.split('/')[4]}").status == 404


# ---- what may be sent ----


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"model": LATER_40, "aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"model": LATER_40, "seed": 1}, "seed"),
        ({"model": LATER_40, "watermark": False}, "watermark"),
        ({"model": LATER_40, "image": []}, "image"),
        ({"model": NOW_5, "n": 1}, "n"),
        ({"model": NOW_5, "quality": "2K"}, "quality"),
        ({"model": NOW_5, "image_urls": []}, "image_urls"),
        ({"model": LATER_40, "n": "2"}, "n"),
        ({"model": LATER_40, "n": True}, "n"),
        ({"model": LATER_40, "n": None}, "n"),
        ({"model": LATER_40, "n": 0}, "n"),
        ({"model": LATER_40, "n": 16}, "n"),
        ({"model": LATER_40, "size": "2K"}, "size"),
        ({"model": LATER_40, "size": "2048x2048"}, "size"),
        ({"model": LATER_40, "quality": "3K"}, "quality"),
        ({"model": LATER_40, "quality": "2k"}, "quality"),
        ({"model": LATER_40, "prompt_priority": "slow"}, "prompt_priority"),
        ({"model": LATER_40, "image_urls": "https://example.com/a.png"}, "image_urls"),
        ({"model": LATER_40, "image_urls": [1]}, "image_urls[0]"),
        ({"model": LATER_40, "image_urls": ["https://e.com/a"] * 15}, "image_urls"),
        ({"model": LATER_40, "image_urls": ["https://e.com/a"] * 14, "n": 2}, "n"),
        ({"model": NOW_5, "size": "1:1"}, "size"),
        ({"model": NOW_5, "size": "1K"}, "size"),
        ({"model": NOW_5, "watermark": "false"}, "watermark"),
        ({"model": NOW_5, "output_format": "jpg"}, "output_format"),
        ({"model": NOW_5, "output_format": None}, "output_format"),
    ],
)
def test_invalid_field_is_named(caller: Caller, fields: dict[str, Any], named: str) -> None:
    response = caller.post(**fields)
    assert response.status == 400 and f"`{named}`" in response.error["message"]
    assert response.error["code"] == "InvalidParameter" and response.error["type"] == ""
    assert caller.sandbox.images_made == 0 and len(caller.sandbox.posts) == 1


@pytest.mark.parametrize("fields", [{"prompt": ""}, {"prompt": "  "}, {"prompt": None},
                                    {"prompt": 3}, {"model": ""}, {"model": None}])  # fmt: skip
def test_body_without_model_or_prompt_is_refused(caller: Caller, fields: dict[str, Any]) -> None:
    assert caller.post(**fields).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_body_other_than_an_object_is_refused(caller: Caller, body: bytes) -> None:
    response = caller.ask("POST", GENERATE, body, Content_Type="application/json")
    assert response.status == 400


def test_refusals_have_their_documented_codes(caller: Caller) -> None:
    text = caller.ask("POST", GENERATE, b'{"model":"x"}', Content_Type="text/plain")
    assert text.status == 400
    unknown = caller.post(model="Seedream-9")
    assert (unknown.status, unknown.error["code"]) == (503, "model_not_found")
    told = "No available channel for model Seedream-9 under group default"
    assert told in unknown.error["message"]
    blocked = caller.post(prompt="x [blocked]")
    assert (blocked.status, blocked.error["code"]) == (500, "sensitive_words_detected")
    moderated = caller.post(model=NOW_5, prompt="x [moderated]")
    assert moderated.status == 400
    assert moderated.error["code"] == "InputTextSensitiveContentDetected"
    large = caller.post(prompt="x" * (25 * 1024 * 1024))
    assert (large.status, large.error["code"]) == (413, "read_request_body_failed")
    assert caller.sandbox.images_made == 0


def test_every_ratio_and_tier_is_accepted(caller: Caller) -> None:
    for ratio in RATIOS:
        assert caller.post(size=ratio, prompt_priority="fast", quality="1K").status == 200
    assert caller.post(n=15, quality="4K").status == 200


def test_strict_also_refuses_doubted_values(make: Callable[..., Caller]) -> None:
    doubted: list[dict[str, Any]] = [
        {"model": LATER_45, "quality": "1K"},
        {"model": LATER_5, "prompt_priority": "fast"},
        {"model": NOW_45, "output_format": "png"},
        {"model": LATER_40, "prompt": "x" * 2001},
    ]
    lenient, strict = make(), make(strict=True)
    for fields in doubted:
        assert lenient.post(**fields).status == 200
        assert strict.post(**fields).status == 400
    assert strict.post(model=LATER_40, quality="1K", prompt_priority="fast").status == 200


# ---- how many, which shape, which format ----


@pytest.mark.parametrize(
    ("prompt", "n", "made"),
    [
        ("A cat", 4, 1), ("generate 4 images of a cat", 4, 4), ("4 images", 3, 3),
        ("four different pictures", 5, 4), ("a group of 3", 4, 3), ("A series of five shots", 9, 5),
        ("a series of images", 4, 4), ("2 different cats", 4, 2), ("生成4张猫的图片", 4, 4),
        ("四张海报", 15, 4), ("十二张图", 15, 12), ("一张图", 4, 1), ("两张桌子", 4, 1),
        ("a cat in 4K, 16:9 images", 4, 1), ("four cats", 4, 1), ("one image", 4, 1),
        ("2 high quality photos", 1, 1), ("several images", 3, 3), ("3 cats in images", 4, 1),
    ],
)  # fmt: skip
def test_count_follows_the_prompt_up_to_n(caller: Caller, prompt: str, n: int, made: int) -> None:
    assert len(caller.finished(prompt=prompt, n=n)) == made
    assert caller.sandbox.images_made == made


def test_ratio_follows_the_prompt_without_a_field(caller: Caller) -> None:
    for prompt, ratio in (("a cat, 16:9", "16:9"), ("猫，宽高比 9：16", "9:16"),
                          ("aspect ratio 3:2", "3:2"), ("at 12:30", "1:1")):  # fmt: skip
        [item] = caller.post(model=NOW_45, prompt=prompt).json["data"]
        assert size_of(caller.get(item["url"]).body) == PIXELS["2K"][ratio]
    [item] = caller.finished(prompt="a cat, 3:4", size="auto", quality="1K")
    assert size_of(caller.get(item["url"]).body) == PIXELS["1K"]["3:4"]


def test_output_format_follows_the_model(caller: Caller) -> None:
    for model, asked, kind in ((NOW_5, "png", "PNG"), (NOW_5, "jpeg", "JPEG"),
                               (NOW_45, "png", "JPEG")):  # fmt: skip
        [item] = caller.post(model=model, output_format=asked).json["data"]
        image = caller.get(item["url"])
        assert Image.open(io.BytesIO(image.body)).format == kind
        assert image.headers["content-type"] == f"image/{kind.lower()}"


def test_images_are_equal_for_equal_requests_only(caller: Caller) -> None:
    def drawn(**fields: Any) -> list[bytes]:
        return [caller.get(item["url"]).body for item in caller.finished(quality="1K", **fields)]

    first = drawn(prompt="2 images", n=2)
    assert first == drawn(prompt="2 images", n=2)
    assert first[0] != first[1] and first[0] != drawn(prompt="2 images!", n=2)[0]


def test_mixed_sizes_gives_a_group_different_sizes(caller: Caller) -> None:
    items = caller.finished(prompt="3 images [mixed sizes]", n=3, quality="1K")
    assert len({size_of(caller.get(item["url"]).body) for item in items}) == 3


# ---- references ----


def test_references_are_shown_in_order(caller: Caller) -> None:
    urls = [caller.upload(picture(colour=colour)) for colour in ("red", "lime", "blue")]
    [item] = caller.finished(image_urls=urls, quality="1K")
    shown = Image.open(io.BytesIO(caller.get(item["url"]).body))
    row = [shown.getpixel((x, 920)) for x in range(0, 700)]
    first = [next(x for x, p in enumerate(row) if isinstance(p, tuple) and _is(p, place))
             for place in range(3)]  # fmt: skip
    assert first == sorted(first)


def _is(pixel: tuple[int, ...], place: int) -> bool:
    return all((value > 215) if i == place else (value < 60) for i, value in enumerate(pixel))


def test_preferential_accepts_urls_and_data_uris(caller: Caller) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"):
        uri = data_uri(picture(kind=kind), kind.lower())
        assert caller.post(model=NOW_5, image=[uri, caller.upload(picture())]).status == 200


@pytest.mark.parametrize(
    "reference",
    [
        data_uri(picture(), "PNG"), data_uri(picture(), "jpg"), "data:image/png;base64,***",
        "data:image/png,abc", data_uri(b"no image"), data_uri(picture()[:60]), data_uri(b""),
        data_uri(picture((14, 20))), data_uri(picture((15, 241))), data_uri(picture((6001, 6000))),
        data_uri(b"\0" * (MAX_REFERENCE_BYTES.value + 1)), "", "file:///etc/passwd",
        "ftp://127.0.0.1/a.png", "http://127.0.0.1:1/a.png", "http://", "http://[", "http://a b/",
    ],
    ids=lambda value: str(value)[:32],
)  # fmt: skip
def test_invalid_reference_is_refused_by_number(caller: Caller, reference: str) -> None:
    response = caller.post(model=NOW_5, image=[data_uri(picture()), reference])
    assert response.status == 400, response.body
    assert "`image[1]`" in response.error["message"] and "reference 2" in response.error["message"]
    assert caller.sandbox.images_made == 0


def test_evolink_accepts_urls_only(caller: Caller) -> None:
    response = caller.post(image_urls=[data_uri(picture())])
    assert response.status == 400 and "reference 1" in response.error["message"]
    assert response.error["code"].startswith("InvalidImageURL")


def test_reference_elsewhere_is_downloaded(make: Callable[..., Caller]) -> None:
    caller, elsewhere = make(), make()
    url = elsewhere.upload(picture())
    assert caller.post(image_urls=[url]).status == 200
    [fetch] = [taken for taken in elsewhere.sandbox.requests if taken.method == "GET"]
    assert fetch.path == urlsplit(url).path and "authorization" not in fetch.headers
    assert caller.post(image_urls=[f"{url}x"]).status == 400
    [item] = elsewhere.post(model=NOW_5).json["data"]
    elsewhere.sandbox.faults.push("image", RedirectTo("file:///etc/hostname"))
    assert caller.post(image_urls=[item["url"]]).status == 400
    elsewhere.sandbox.faults.push("image", Truncated())
    assert caller.post(image_urls=[item["url"]]).status == 400
    elsewhere.sandbox.faults.push("image", Oversized(MAX_REFERENCE_BYTES.value + 1))
    assert caller.post(image_urls=[item["url"]]).status == 400


def test_image_host_stores_by_content(caller: Caller) -> None:
    data = picture(kind="WEBP")
    url = caller.upload(data)
    assert url == caller.upload(data) and url.startswith(f"{caller.sandbox.url}/sandbox/images/")
    got = caller.get(url)
    assert got.body == data and got.headers["content-type"] == "image/webp"
    assert caller.ask("POST", "/sandbox/images", b"no image").status == 400
    assert caller.ask("POST", "/sandbox/images", b"").status == 400
    large = b"\0" * (MAX_REFERENCE_BYTES.value + 1)
    assert caller.ask("POST", "/sandbox/images", large).status == 413
    assert caller.get(f"{caller.sandbox.url}/sandbox/images/..%2f..%2flink-secret").status == 404


# ---- result images ----


def test_byte_ranges_follow_the_rfc(caller: Caller) -> None:
    [item] = caller.finished(quality="1K")
    url = item["url"]
    whole = caller.get(url)
    tag, size = whole.headers["etag"], len(whole.body)
    assert whole.headers["accept-ranges"] == "bytes"
    last_byte = size - 1
    for asked, first, last in (
        ("0-9", 0, 9), (f"{size - 5}-", size - 5, last_byte),
        ("-7", size - 7, last_byte), (f"5-{size + 9}", 5, last_byte),
    ):  # fmt: skip
        part = caller.get(url, Range=f"bytes={asked}", If_Range=tag)
        assert part.status == 206 and part.body == whole.body[first : last + 1]
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    assert caller.get(url, Range=f"bytes={size}-").status == 416
    assert caller.get(url, Range="bytes=0-1", If_Range='"other"').status == 200
    assert caller.get(url, Range="bytes=0-1,4-5").status == 200
    head = caller.ask("HEAD", urlsplit(url).path)
    assert head.body == b"" and int(head.headers["content-length"]) == size


def test_links_expire_and_polling_renews_them(make: Callable[..., Caller], clock: Clock) -> None:
    caller = make(link_life_s=60, task_seconds=0)
    path = caller.task(quality="1K")
    url = caller.get(path).json["output"]["data"][0]["url"]
    assert caller.get(url).status == 200
    assert caller.get(url.split("?")[0]).status == 403
    assert caller.get(url.replace("expires=1", "expires=2")).status == 403
    clock.at += 60
    assert caller.get(url).status == 403
    assert caller.get(caller.get(path).json["output"]["data"][0]["url"]).status == 200


def test_missing_images_get_a_404(caller: Caller) -> None:
    path = caller.task(prompt="2 images", n=2, quality="1K")
    base = f"/results/{path.rsplit('/', 1)[1]}"
    assert caller.get(f"{base}/0.jpg").status == 404  # Not made yet.
    caller.sandbox.finish_tasks()
    assert caller.get(f"{base}/1.jpg").status == 200
    for name in ("2.jpg", "0.png", "0.jpeg", "x.jpg", "../0.jpg"):
        assert caller.get(f"{base}/{name}").status == 404


def test_log_shows_a_key_sent_to_an_image(caller: Caller) -> None:
    [item] = caller.finished(quality="1K")
    caller.get(item["url"], Authorization="Bearer leaked")
    assert caller.sandbox.requests[-1].headers["authorization"] == "Bearer leaked"


# ---- what outlives a restart ----


def test_tasks_outlive_a_restart(make: Callable[..., Caller], clock: Clock) -> None:
    old = make(link_life_s=1000)
    reference = old.upload(picture())
    path = old.task(prompt="2 images", n=2, image_urls=[reference], quality="1K")
    at_once = old.post(model=NOW_5, prompt="猫").json["data"][0]["url"]
    before = old.get(at_once).body
    old.sandbox.stop()
    new = make(link_life_s=1000)
    assert new.get(at_once).body == before
    assert new.get(urlsplit(reference).path).body == picture()
    assert new.get(path).json["status"] == "queued"
    clock.at += 100
    urls = [item["url"] for item in new.get(path).json["output"]["data"]]
    assert all(url.startswith(new.sandbox.url) for url in urls)
    assert size_of(new.get(urls[1]).body) == PIXELS["1K"]["1:1"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_files_are_private(caller: Caller, tmp_path: Path) -> None:
    caller.finished(image_urls=[caller.upload(picture())], quality="1K")
    entries = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    modes = {(entry.is_dir(), stat.S_IMODE(entry.stat().st_mode)) for entry in entries}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert not any(SANDBOX_KEY.encode() in e.read_bytes() for e in entries if e.is_file())


def test_restart_keeps_the_port(caller: Caller) -> None:
    url, path = caller.sandbox.url, caller.task()
    caller.sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        caller.get(path)
    caller.sandbox.start()
    assert caller.sandbox.url == url and caller.get(path).status == 200


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
