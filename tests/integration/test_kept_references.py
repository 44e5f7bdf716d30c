"""Copies of reference images, and the inputs that are restored with them."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seedream_api import (
    Origin,
    Request,
    Session,
    UrlReference,
    file_reference,
    generate,
    pixels_reference,
)
from seedream_api.jobs import kept_references
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.inputs import JobInputs, KnownReference
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec

PREFERENTIAL, EVOLINK = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"


def noise(seed: int, size: tuple[int, int] = (32, 24)) -> np.ndarray[Any, Any]:
    width, height = size
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def read_inputs(home: Path, row_id: int) -> JobInputs:
    ledger = SyncLedger(home)
    try:
        return ledger.read_inputs(row_id)
    finally:
        ledger.close()


def forget_urls(home: Path) -> None:
    """As if the reference had been sent as a data URI."""
    with closing(sqlite3.connect(home / "ledger.sqlite")) as db:
        db.execute("DELETE FROM given_urls")
        db.commit()


def test_copies_restore_the_same_request(api_client: Any) -> None:
    given = [noise(1), noise(2, (20, 30))]
    made = api_client.generate(
        *(pixels_reference(pixels, f"image {pixels.shape}") for pixels in given),
        model=EVOLINK,
        size="16:9",
        n=2,
        seed=7,
    )
    inputs = read_inputs(api_client.home, made.entry)
    assert inputs.is_exact and inputs.prompt == "A cat"
    assert (inputs.fields["size"], inputs.fields["n"], inputs.row.seed) == ("16:9", 2, 7)
    copies = [np.asarray(Image.open(one.path)) for one in inputs.references if one.path]
    assert all(map(np.array_equal, copies, given)) and len(copies) == 2
    again = api_client.generate(
        *(pixels_reference(copy, "copy") for copy in copies),
        model=EVOLINK,
        size="16:9",
        n=2,
        seed=7,
    )
    assert again.origin is Origin.STORED and api_client.sent == 1


def test_copies_of_equal_images_are_one_file(api_client: Any) -> None:
    for seed in (1, 2):
        image = pixels_reference(noise(1), "one")
        api_client.generate(image, image, model=PREFERENTIAL, seed=seed)
    with closing(sqlite3.connect(api_client.home / "ledger.sqlite")) as db:
        [(file,)] = db.execute("SELECT file FROM reference_files").fetchall()
    assert (api_client.home / file).is_file()


def test_copies_are_off_by_a_setting(api_client: Any) -> None:
    image = pixels_reference(noise(1), "one")
    made = api_client.generate(image, model=PREFERENTIAL, SEEDREAM_KEEP_REFERENCES="off")
    forget_urls(api_client.home)
    inputs = read_inputs(api_client.home, made.entry)
    assert not inputs.is_exact and inputs.references == (KnownReference(),)
    assert inputs.row.references == (image.identity(),)


def test_inputs_have_the_url_of_an_upload_without_copy(api_client: Any) -> None:
    image = pixels_reference(noise(1), "one")
    made = api_client.generate(image, model=EVOLINK, SEEDREAM_KEEP_REFERENCES="off")
    inputs = read_inputs(api_client.home, made.entry)
    assert inputs.is_exact
    [url] = [one.url for one in inputs.references if one.url]
    again = api_client.generate(UrlReference(url), model=EVOLINK)
    assert again.origin is Origin.STORED and api_client.sent == 1


def test_copy_of_a_file_is_the_file(api_client: Any, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(noise(3)).save(out, "PNG")
    path = tmp_path / "given.png"
    path.write_bytes(out.getvalue())
    made = api_client.generate(file_reference(path), model=PREFERENTIAL)
    forget_urls(api_client.home)
    [reference] = read_inputs(api_client.home, made.entry).references
    assert reference.path is not None and reference.path.read_bytes() == out.getvalue()
    assert not reference.is_exact, "Load Image brings pixels, which have another identity"


def test_copy_beyond_the_limit_is_left_out(api_client: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(kept_references, "MAX_COPY_BYTES", 100)
    made = api_client.generate(pixels_reference(noise(1), "one"), model=PREFERENTIAL)
    assert made.status == "completed"
    assert read_inputs(api_client.home, made.entry).references[0].path is None


def test_copies_failing_do_not_fail_the_request(api_client: Any, monkeypatch: Any) -> None:
    from seedream_api.errors import LedgerFailed

    def fail(*given: Any) -> Any:
        raise LedgerFailed("image_unstorable", path="images", reason="disk full")

    monkeypatch.setattr(kept_references, "_copy", fail)
    made = api_client.generate(pixels_reference(noise(1), "one"), model=EVOLINK)
    assert made.status == "completed" and api_client.sent == 1


def test_caller_that_does_not_wait_gets_the_task_before_copies(
    api_client: Any, monkeypatch: Any
) -> None:
    async def work(session: Session) -> None:
        returned = asyncio.Event()
        copied = False

        async def copy(*given: Any) -> None:
            nonlocal copied
            with suppress(TimeoutError):
                await asyncio.wait_for(returned.wait(), 5)
            copied = True

        monkeypatch.setattr(kept_references, "_copy", copy)
        request = Request(model=EVOLINK, prompt="A cat", references=(image,))
        made = await generate(request, session, wait=False)
        assert made.task_id and not copied
        returned.set()

    image = pixels_reference(noise(1), "one")
    api_client.run(work)


def test_copies_are_pruned_before_any_result(api_client: Any) -> None:
    given = pixels_reference(noise(1), "one")
    made = api_client.generate(given, model=PREFERENTIAL)
    api_client.clock.at += 60
    api_client.generate(given, model=PREFERENTIAL, prompt="A dog")
    ledger = SyncLedger(api_client.home, now=lambda: api_client.clock.at + 3600)
    try:
        before = ledger.sum_stored_bytes()
        image = made.images[0]
        ledger.prune(ImageStore(api_client.home), keep_bytes=before - 1)
        [reference] = ledger.read_inputs(made.entry).references
        assert reference.path is None and image.path.exists()
        ledger.prune(ImageStore(api_client.home), keep_bytes=0)
        assert ledger.sum_stored_bytes() == 0
        assert ledger.read_inputs(made.entry).references[0].path is None
    finally:
        ledger.close()


def test_inputs_hold_no_signed_url(home: Path) -> None:
    plain, signed = "https://images.example/a.png", "https://images.example/b.png?sig=abc"
    references = (f"url:{plain}", f"url:{signed}")
    ledger = SyncLedger(home)
    row = ledger.claim(
        JobSpec("print", "evolink", EVOLINK, "sandbox", "key", "A cat", {}, references, 0, 1), "id"
    )
    ledger.close()
    inputs = read_inputs(home, row.id)
    assert [one.url for one in inputs.references] == [plain, None]
    assert not inputs.is_exact


def test_inputs_without_stored_prompt_are_not_exact(api_client: Any) -> None:
    made = api_client.generate(model=PREFERENTIAL, SEEDREAM_STORE_PROMPTS="off")
    inputs = read_inputs(api_client.home, made.entry)
    assert inputs.prompt is None and not inputs.is_exact
