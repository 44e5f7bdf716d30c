"""What is sent, what is returned, and what is free the second time."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api import (
    Origin,
    UrlReference,
    file_reference,
    pixels_reference,
)
from support.generation_kit import BOTH, LATER_5, LATER_40, LATER_45, NOW_5, NOW_45, picture

COLOURS = ("red", "green", "blue", "white", "black", "cyan", "orange", "gold", "pink", "gray",
           "brown")  # fmt: skip


def pixels(colour: str = "red") -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


def colour_of(data: bytes) -> tuple[int, ...]:
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((5, 5))  # type: ignore[return-value]


@pytest.fixture
def hosted(api_client: Any) -> list[str]:
    """URLs of two pictures that the sandbox can fetch."""

    async def upload(session: Any) -> list[str]:
        answers = [
            await session.client.transport.ask(
                f"{api_client.sandbox.url}/sandbox/images",
                method="POST",
                headers=session.client.headers(),
                content=picture(colour),
            )
            for colour in ("red", "blue")
        ]
        return [answer.json()["url"] for answer in answers]

    return api_client.run(upload)


# ---- what is sent ----


def test_preferential_bodies_are_those_of_the_main_page(api_client: Any, hosted: list[str]) -> None:
    api_client.generate(model=NOW_5, prompt="一只猫在草地上玩耍", size="2K")
    reference = UrlReference(hosted[0])
    api_client.generate(reference, model=NOW_45, prompt="一座未来城市夜景,霓虹灯光", size="4K")
    api_client.generate(model=NOW_5, output_format="png", watermark=True)
    assert [json.loads(post.body) for post in api_client.sandbox.posts] == [
        {"model": NOW_5, "prompt": "一只猫在草地上玩耍", "size": "2K", "watermark": False},
        {"model": NOW_45, "prompt": "一座未来城市夜景,霓虹灯光", "size": "4K", "watermark": False,
         "image": [hosted[0]]},
        {"model": NOW_5, "prompt": "A cat", "size": "2K", "watermark": True,
         "output_format": "png"},
    ]  # fmt: skip
    assert "一只猫".encode() in api_client.sandbox.posts[0].body  # and not \u4e00...
    order = ["model", "prompt", "size", "image", "watermark"]
    assert list(json.loads(api_client.sandbox.posts[1].body)) == order


def test_evolink_bodies_are_those_of_the_main_page(api_client: Any, hosted: list[str]) -> None:
    wide: dict[str, Any] = {"size": "16:9"}
    api_client.generate(model=LATER_5, prompt="A cat playing on the grass", **wide)
    references = [UrlReference(url) for url in hosted]
    neon = "A futuristic city at night with neon lights"
    api_client.generate(*references, model=LATER_45, prompt=neon, quality="4K", n=4, **wide)
    api_client.generate(model=LATER_40, n=4, prompt_priority="fast", **wide)
    assert [list(json.loads(post.body).items()) for post in api_client.sandbox.posts] == [
        [("model", LATER_5), ("prompt", "A cat playing on the grass"), ("size", "16:9"),
         ("quality", "2K"), ("n", 1), ("prompt_priority", "standard")],
        [("model", LATER_45), ("prompt", neon), ("size", "16:9"), ("quality", "4K"), ("n", 4),
         ("image_urls", hosted), ("prompt_priority", "standard")],
        [("model", LATER_40), ("prompt", "A cat"), ("size", "16:9"), ("quality", "2K"), ("n", 4),
         ("prompt_priority", "fast")],
    ]  # fmt: skip


def test_one_intent_has_one_idempotency_key(api_client: Any) -> None:
    from support.fake_service import rate_limited

    api_client.sandbox.faults.push("generate", rate_limited(), times=2)
    api_client.generate()
    api_client.generate(seed=1)
    keys = [
        request.headers["idempotency-key"]
        for request in api_client.sandbox.requests
        if request.method == "POST"
    ]
    assert len(keys) == 4 and len(set(keys[:3])) == 1 and keys[3] != keys[0]
    assert all(16 <= len(key) <= 96 and key.replace("-", "").isalnum() for key in keys)


# ---- references ----


def test_pictures_travel_inline_in_order(
    api_client: Any, tmp_path: Path, make_sandbox: Callable[..., Any]
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(picture("blue"))
    references = [pixels("red"), file_reference(file, 2), *map(pixels, COLOURS[2:])]
    api_client.generate(*references, model=NOW_5, SEEDREAM_UPLOAD="inline")
    [post] = api_client.sandbox.posts
    sent = post.json["image"]
    assert len(sent) == 11 and all(uri.startswith("data:image/png;base64,") for uri in sent)
    arrived = [colour_of(base64.b64decode(uri.partition(",")[2])) for uri in sent]
    wanted = ["red", "blue", *COLOURS[2:]]
    assert arrived == [Image.new("RGB", (1, 1), name).getpixel((0, 0)) for name in wanted]
    # A file travels as it is.
    assert base64.b64decode(sent[1].partition(",")[2]) == file.read_bytes()


@BOTH
def test_pictures_and_urls_keep_their_order(api_client: Any, hosted: list[str], model: str) -> None:
    before = len(api_client.sandbox.requests)
    references = [UrlReference(hosted[1]), pixels("green"), UrlReference(hosted[0])]
    result = api_client.generate(*references, model=model)
    [post] = api_client.sandbox.posts
    sent = post.json.get("image") or post.json.get("image_urls")
    assert sent[0] == hosted[1] and sent[2] == hosted[0]
    uploads = [r for r in api_client.sandbox.requests[before:] if r.path == "/sandbox/images"]
    assert [colour_of(upload.body) for upload in uploads] == [(0, 128, 0)]
    assert result.charged_images == 1


def test_foreign_url_counts_by_its_letters_others_by_content(
    api_client: Any, hosted: list[str], tmp_path: Path
) -> None:
    file, other = tmp_path / "a.png", tmp_path / "b.png"
    file.write_bytes(picture("red"))
    other.write_bytes(picture("red"))
    api_client.generate(file_reference(file, 1))
    assert api_client.generate(file_reference(other, 1)).origin is Origin.STORED
    for reference in (UrlReference(hosted[1]), UrlReference(f"{hosted[1]}?2"), pixels("pink")):
        assert api_client.generate(reference).origin is Origin.NEW
    # The sandbox names pictures by content: this is the URL that the upload of the file got.
    assert api_client.generate(UrlReference(hosted[0])).origin is Origin.STORED
    assert api_client.sent == 4


def test_transparent_reference_is_composited_on_white(api_client: Any, tmp_path: Path) -> None:
    file = tmp_path / "ghost.png"
    file.write_bytes(picture("#ff000000", mode="RGBA"))
    result = api_client.generate(file_reference(file, 1), model=NOW_5, SEEDREAM_UPLOAD="inline")
    uri = api_client.sandbox.posts[0].json["image"][0]
    assert colour_of(base64.b64decode(uri.partition(",")[2])) == (255, 255, 255)
    assert any("ghost.png" in note and "white" in note for note in result.notes)
