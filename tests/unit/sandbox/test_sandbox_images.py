"""References, result images, and what survives a restart of the sandbox."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from seedream_api.catalog import MAX_REFERENCE_BYTES, PIXELS
from support.fake_service import (
    SANDBOX_KEY,
    Oversized,
    RedirectTo,
    Truncated,
)
from support.sandbox_calls import (
    NOW_5,
    Caller,
    Clock,
    data_uri,
    picture,
    size_of,
)

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
