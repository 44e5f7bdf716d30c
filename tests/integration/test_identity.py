"""Equal requests are paid for once, however their URLs and the service's address are spelled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api import Origin, collect, collect_all, pixels_reference
from seedream_api.jobs.upload_references import upload_references
from seedream_api.service.references import UrlReference
from seedream_api.uploads import evolink
from support.fake_service import FILES_KEY
from support.old_ledgers import spell_as_0_1, take_back_to_0_1


@pytest.fixture
def shop(api_client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An API client that uploads to the sandbox's copy of Evolink's files API, where every upload
    gets a new URL, as at Evolink."""
    send, numbers = evolink.EvolinkFiles.upload, count()

    async def send_to_new_url(way: Any, encoded: Any) -> Any:
        placed = await send(way, encoded)
        return replace(placed, url=f"{placed.url}?upload={next(numbers)}")

    monkeypatch.setattr(evolink.EvolinkFiles, "upload", send_to_new_url)
    monkeypatch.setattr(evolink, "FILES_ADDRESS", api_client.sandbox.url)
    api_client.environ |= {"SEEDREAM_UPLOAD": "evolink", "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY}
    return api_client


def picture(colour: str) -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


def upload(api_client: Any, *colours: str) -> list[str]:
    sent = api_client.run(lambda s: upload_references([picture(one) for one in colours], s))
    return [one.url for one in sent]


def generate(api_client: Any, *urls: str, **fields: Any) -> Any:
    return api_client.generate(*map(UrlReference, urls), **fields)


def execute(api_client: Any, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(api_client.home / "ledger.sqlite")) as db:
        db.execute(statement, values)
        db.commit()


def expire_uploads(api_client: Any) -> None:
    execute(api_client, "UPDATE uploads SET expires_at = 1")


def upload_elsewhere(api_client: Any, colour: str) -> str:
    """An upload's URL that this ledger did not give out."""
    [url] = upload(api_client, colour)
    execute(api_client, "DELETE FROM uploads WHERE url = ?", url)
    execute(api_client, "DELETE FROM given_urls WHERE url = ?", url)
    return url


# ---- renewed URLs ----


def test_renewed_upload_url_is_not_paid_again(shop: Any) -> None:
    [first] = upload(shop, "red")
    made = generate(shop, first)
    for _ in range(3):
        expire_uploads(shop)
        [renewed] = upload(shop, "red")
        assert renewed != first
        again = generate(shop, renewed)
        assert again.images == made.images and again.origin is Origin.STORED
    assert shop.sent == 1
    assert shop.sandbox.posts[0].json["image_urls"] == [first]


def test_linked_picture_and_its_upload_are_one_request(shop: Any) -> None:
    made = shop.generate(picture("red"))
    [url] = upload(shop, "red")
    assert generate(shop, url).images == made.images and shop.sent == 1


def test_other_pictures_and_orders_are_other_requests(shop: Any) -> None:
    red, blue = upload(shop, "red", "blue")
    for urls in [(red,), (blue,), (red, blue), (blue, red), (red, red), (red + "&v=2",)]:
        generate(shop, *urls)
    assert shop.sent == 6


def test_foreign_url_counts_by_its_letters(api_client: Any) -> None:
    [url] = upload(api_client, "red")
    signed = [f"{url}?X-Amz-Signature={one}" for one in "ab"]
    execute(api_client, "DELETE FROM given_urls")
    for one in (*signed, *signed):
        generate(api_client, one)
    assert api_client.sent == 2


def test_replaced_result_link_is_not_paid_again(api_client: Any) -> None:
    source = api_client.generate(prompt="A source")
    [image] = source.images
    made = generate(api_client, image.url)
    renewed = f"{image.url}?signed=again"
    execute(api_client, "UPDATE images SET url = ? WHERE url = ?", renewed, image.url)
    for url in (renewed, image.url):
        assert generate(api_client, url).images == made.images
    assert api_client.sent == 2


def test_kept_response_is_read_with_all_sent_urls(shop: Any) -> None:
    from seedream_api.ledger.ledger import SyncLedger

    foreign, [first] = upload_elsewhere(shop, "green"), upload(shop, "red")
    generate(shop, first, foreign)
    [row] = shop.rows
    assert row.references[0].startswith("sha256:")
    ledger = SyncLedger(shop.home)
    try:
        sent = ledger.list_sent_urls(row.references)
        assert first in sent and foreign in sent and f"{foreign}2" not in sent
    finally:
        ledger.close()


# ---- rows of version 0.1 ----


def without_prompt(result: Any) -> list[Any]:
    """The images of a result; a row may keep no prompt."""
    return [replace(image, prompt=None) for image in result.images]


@pytest.mark.parametrize("keep_prompt", [True, False], ids=["prompt", "no-prompt"])
def test_row_of_0_1_with_upload_url_is_still_reused(shop: Any, keep_prompt: bool) -> None:
    [first] = upload(shop, "red")
    made = generate(shop, first)
    path = shop.home / "ledger.sqlite"
    spell_as_0_1(path, references=(f"url:{first}",), keep_prompt=keep_prompt)
    take_back_to_0_1(path)
    assert without_prompt(generate(shop, first)) == without_prompt(made)
    expire_uploads(shop)
    upload(shop, "blue")
    [renewed] = upload(shop, "red")
    assert renewed != first and without_prompt(generate(shop, renewed)) == without_prompt(made)
    assert without_prompt(shop.generate(picture("red"))) == without_prompt(made)
    assert shop.sent == 1 and len(shop.rows) == 1


def test_row_of_0_1_with_foreign_url_is_still_reused(shop: Any) -> None:
    foreign, other = upload_elsewhere(shop, "green"), upload_elsewhere(shop, "blue")
    [first] = upload(shop, "red")
    made = generate(shop, first, foreign)
    path = shop.home / "ledger.sqlite"
    spell_as_0_1(path, references=(f"url:{first}", f"url:{foreign}"))
    take_back_to_0_1(path)
    expire_uploads(shop)
    [renewed] = upload(shop, "red")
    assert generate(shop, renewed, foreign).images == made.images
    assert shop.sent == 1
    generate(shop, renewed, other)
    assert shop.sent == 2


@pytest.mark.parametrize("state", ["unknown", "empty"])
def test_open_row_of_0_1_blocks_renewed_url(shop: Any, state: str) -> None:
    from seedream_api import SeedreamError

    [first] = upload(shop, "red")
    generate(shop, first)
    execute(shop, "UPDATE requests SET state = ?, task_id = NULL", state)
    path = shop.home / "ledger.sqlite"
    spell_as_0_1(path, references=(f"url:{first}",))
    take_back_to_0_1(path)
    expire_uploads(shop)
    [renewed] = upload(shop, "red")
    with pytest.raises(SeedreamError) as caught:
        generate(shop, renewed)
    assert caught.value.may_have_been_charged and shop.sent == 1


def test_typed_address_of_0_1_is_the_same_service(api_client: Any) -> None:
    made = api_client.generate()
    path = api_client.home / "ledger.sqlite"
    typed = api_client.sandbox.url.replace("127.0.0.1", "localhost")
    assert typed != api_client.sandbox.url
    spell_as_0_1(path, address=typed)
    take_back_to_0_1(path)
    for address in (api_client.sandbox.url, typed, f"{typed}/v1/"):
        assert api_client.generate(DEEPSPACE_BASE_URL=address).images == made.images
    ran = api_client.inside(
        "generate", "--model", "Seedream-4.0", "--prompt", "A cat", "--json",
        "--out", api_client.home.parent / "out",
    )  # fmt: skip
    assert ran.code == 0 and ran.json["reused"] and api_client.sent == 1


def test_reuse_off_still_pays_after_an_upgrade(api_client: Any) -> None:
    api_client.generate()
    path = api_client.home / "ledger.sqlite"
    spell_as_0_1(path, address=api_client.sandbox.url.replace("127.0.0.1", "localhost"))
    take_back_to_0_1(path)
    paid = api_client.generate(SEEDREAM_REUSE="off")
    assert api_client.sent == 2 and paid.origin is Origin.NEW
    assert api_client.generate().images == paid.images and api_client.sent == 2


def test_task_of_0_1_is_collected_by_canonical_address(api_client: Any) -> None:
    made = api_client.generate(wait=False)
    path = api_client.home / "ledger.sqlite"
    spell_as_0_1(path, address=api_client.sandbox.url.replace("127.0.0.1", "localhost"))
    take_back_to_0_1(path)
    found = api_client.run(lambda session: collect(made.task_id, session))
    assert len(found.images) == 1 and api_client.sent == 1
    both = api_client.run(lambda session: collect_all([made.task_id], session))
    assert both.images == found.images and len(api_client.rows) == 1
