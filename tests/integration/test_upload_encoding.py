"""How references are encoded, and uploads without a request."""

from __future__ import annotations

import base64
import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api import (
    ConfigurationError,
    InvalidRequest,
    file_reference,
    pixels_reference,
)
from seedream_api.jobs.upload_references import upload_references
from seedream_api.service.references import PictureReference
from support.upload_kit import (
    COLOURS,
    EVOLINK,
    PREFERENTIAL,
    colour_of,
    pixels,
    requests_to,
)

# ---- encoding ----


@pytest.mark.parametrize("way", [{}, {"SEEDREAM_UPLOAD": "inline"}], ids=["uploaded", "inline"])
def test_images_are_encoded_off_loop_one_per_processor(
    api_client: Any, way: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    together, lock = threading.Barrier(3, timeout=20), threading.Lock()
    running: list[int] = []
    most: list[int] = []
    encoded = PictureReference.encode

    def counted(picture: Any, aim: int, cap: int) -> Any:
        with lock:
            running.append(threading.get_ident())
            most.append(len(running))
        together.wait()  # three have to be here at the same time
        try:
            return encoded(picture, aim, cap)
        finally:
            with lock:
                running.remove(threading.get_ident())

    monkeypatch.setattr(PictureReference, "encode", counted)
    api_client.generate(*map(pixels, COLOURS[:6]), model=PREFERENTIAL, **way)
    assert max(most) == 3 and len(most) == 6 and api_client.sent == 1


def test_inline_pictures_share_one_body_by_need(api_client: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    large = [pixels_reference(np.roll(noise, step), f"noise {step}") for step in range(6)]
    small = [pixels(colour) for colour in COLOURS[:4]]
    result = api_client.generate(*large, *small, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    [post] = api_client.sandbox.posts
    assert 10 * 2**20 < len(post.body) <= 20 * 2**20
    sent = [base64.b64decode(uri.partition(",")[2]) for uri in post.json["image"]]
    assert [data[:4] == b"\x89PNG" for data in sent] == [False] * 6 + [True] * 4
    assert all(colour_of(data) is not None for data in sent)
    assert sum("sent as JPEG" in note for note in result.notes) == 6


def test_inline_pictures_that_fit_are_left_alone(api_client: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1150, 1150, 3), dtype=np.uint8)
    pictures = [pixels_reference(np.roll(noise, step), "n") for step in range(3)]
    result = api_client.generate(*pictures, model=PREFERENTIAL, SEEDREAM_UPLOAD="inline")
    uris = api_client.sandbox.posts[0].json["image"]
    assert all(uri.startswith("data:image/png;") for uri in uris) and result.notes == ()


def test_file_over_10_mb_is_encoded(api_client: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1700, 1700, 3), dtype=np.uint8)
    files = {"8mb.png": noise, "11mb.png": np.concatenate([noise, noise[:600]])}
    for name, array in files.items():
        Image.fromarray(array).save(tmp_path / name, compress_level=0)
    references = [file_reference(tmp_path / name, 1) for name in files]
    result = api_client.generate(*references, model=EVOLINK)
    bodies = [r.body for r in requests_to(api_client, "POST", "/sandbox/images")]
    assert (tmp_path / "8mb.png").read_bytes() in bodies
    assert sorted(len(body) < 4 * 2**20 for body in bodies) == [False, True]
    assert any("11mb.png" in note and "JPEG" in note for note in result.notes)


def test_long_side_is_shrunk_and_too_many_pixels_refused(api_client: Any, tmp_path: Path) -> None:
    Image.new("RGB", (7000, 700), "red").save(tmp_path / "long.png")
    result = api_client.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK)
    [upload] = requests_to(api_client, "POST", "/sandbox/images")
    assert Image.open(io.BytesIO(upload.body)).size == (6000, 600)
    assert any("7000 x 700 to 6000 x 600" in note for note in result.notes)
    with pytest.raises(InvalidRequest, match="36000000"):
        api_client.generate(pixels(size=(6001, 6000)), model=EVOLINK)
    assert api_client.sent == 1
    # The notes of an upload come again with its reuse.
    again = api_client.generate(file_reference(tmp_path / "long.png", 1), model=EVOLINK, seed=1)
    assert again.notes == result.notes


# ---- uploads alone ----


def test_pictures_become_urls_without_a_request(api_client: Any) -> None:
    async def twice(session: Any) -> Any:
        return [await upload_references([pixels("red"), pixels("blue")], session) for _ in "ab"]

    first, second = api_client.run(twice)
    assert [one.url for one in first] == [one.url for one in second] and api_client.sent == 0
    assert [one.reused for one in (*first, *second)] == [False, False, True, True]
    assert "127.0.0.1" not in repr(first)


@pytest.mark.parametrize("settings", [{"SEEDREAM_UPLOAD": "inline"},
                                      {"DEEPSPACE_API_KEY": "sk-another-key-1"}])  # fmt: skip
def test_without_a_way_that_gives_urls_the_ways_are_named(
    api_client: Any, settings: dict[str, str]
) -> None:
    async def upload(session: Any) -> Any:
        return await upload_references([pixels()], session)

    with pytest.raises(ConfigurationError) as caught:
        api_client.run(upload, **settings)
    assert caught.value.key == "no_url_way" and "SEEDREAM_UPLOAD_S3_BUCKET" in str(caught.value)
