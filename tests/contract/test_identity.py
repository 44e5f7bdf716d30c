"""Equal requests are paid for once, however their URLs and the service's address are spelled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from old_ledgers import spell_as_0_1, take_back_to_0_1
from PIL import Image

from seedream_api import Origin, collect, collect_all, pixels_reference
from seedream_api.jobs.upload_references import upload_references
from seedream_api.sandbox.files_api import FILES_KEY
from seedream_api.service.references import UrlReference
from seedream_api.uploads import evolink


@pytest.fixture
def shop(customer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A customer who uploads to the sandbox's copy of Evolink's files API: every upload has a URL
    unlike all others, as at Evolink."""
    send, numbers = evolink.EvolinkFiles.upload, count()

    async def send_to_new_url(way: Any, encoded: Any) -> Any:
        placed = await send(way, encoded)
        return replace(placed, url=f"{placed.url}?upload={next(numbers)}")

    monkeypatch.setattr(evolink.EvolinkFiles, "upload", send_to_new_url)
    monkeypatch.setattr(evolink, "FILES_ADDRESS", customer.sandbox.url)
    customer.environ |= {"SEEDREAM_UPLOAD": "evolink", "SEEDREAM_UPLOAD_EVOLINK_KEY": FILES_KEY}
    return customer


def picture(colour: str) -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


def upload(customer: Any, *colours: str) -> list[str]:
    sent = customer.run(lambda s: upload_references([picture(one) for one in colours], s))
    return [one.url for one in sent]


def generate(customer: Any, *urls: str, **fields: Any) -> Any:
    return customer.generate(*map(UrlReference, urls), **fields)


def execute(customer: Any, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(customer.home / "ledger.sqlite")) as db:
        db.execute(statement, values)
        db.commit()


def expire_uploads(customer: Any) -> None:
    execute(customer, "UPDATE uploads SET expires_at = 1")


def upload_elsewhere(customer: Any, colour: str) -> str:
    """An upload's URL that this ledger did not give out."""
    [url] = upload(customer, colour)
    execute(customer, "DELETE FROM uploads WHERE url = ?", url)
    execute(customer, "DELETE FROM given_urls WHERE url = ?", url)
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


def test_foreign_url_counts_by_its_letters(customer: Any) -> None:
    [url] = upload(customer, "red")
    signed = [f"{url}?X-Amz-Signature={one}" for one in "ab"]
    execute(customer, "DELETE FROM given_urls")
    for one in (*signed, *signed):
        generate(customer, one)
    assert customer.sent == 2


def test_replaced_result_link_is_not_paid_again(customer: Any) -> None:
    source = customer.generate(prompt="A source")
    [image] = source.images
    made = generate(customer, image.url)
    renewed = f"{image.url}?signed=again"
    execute(customer, "UPDATE images SET url = ? WHERE url = ?", renewed, image.url)
    for url in (renewed, image.url):
        assert generate(customer, url).images == made.images
    assert customer.sent == 2


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


@pytest.mark.parametrize("keep_prompt", [True, False], ids=["prompt", "no-prompt"])
def test_row_of_0_1_with_upload_url_still_answers(shop: Any, keep_prompt: bool) -> None:
    [first] = upload(shop, "red")
    made = generate(shop, first)
    path = shop.home / "ledger.sqlite"
    spell_as_0_1(path, references=(f"url:{first}",), keep_prompt=keep_prompt)
    take_back_to_0_1(path)
    assert generate(shop, first).images == made.images
    expire_uploads(shop)
    upload(shop, "blue")
    [renewed] = upload(shop, "red")
    assert renewed != first and generate(shop, renewed).images == made.images
    assert shop.generate(picture("red")).images == made.images
    assert shop.sent == 1 and len(shop.rows) == 1


def test_foreign_url_in_row_of_0_1_still_answers(shop: Any) -> None:
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


def test_typed_address_of_0_1_is_the_same_service(customer: Any) -> None:
    made = customer.generate()
    path = customer.home / "ledger.sqlite"
    typed = customer.sandbox.url.replace("127.0.0.1", "localhost")
    assert typed != customer.sandbox.url
    spell_as_0_1(path, address=typed)
    take_back_to_0_1(path)
    for address in (customer.sandbox.url, typed, f"{typed}/v1/"):
        assert customer.generate(DEEPSPACE_BASE_URL=address).images == made.images
    ran = customer.inside(
        "generate", "--model", "Seedream-4.0", "--prompt", "A cat", "--json",
        "--out", customer.home.parent / "out",
    )  # fmt: skip
    assert ran.code == 0 and ran.json["reused"] and customer.sent == 1


def test_reuse_off_still_pays_after_an_upgrade(customer: Any) -> None:
    customer.generate()
    path = customer.home / "ledger.sqlite"
    spell_as_0_1(path, address=customer.sandbox.url.replace("127.0.0.1", "localhost"))
    take_back_to_0_1(path)
    paid = customer.generate(SEEDREAM_REUSE="off")
    assert customer.sent == 2 and paid.origin is Origin.NEW
    assert customer.generate().images == paid.images and customer.sent == 2


def test_task_of_0_1_is_collected_by_canonical_address(customer: Any) -> None:
    made = customer.generate(wait=False)
    path = customer.home / "ledger.sqlite"
    spell_as_0_1(path, address=customer.sandbox.url.replace("127.0.0.1", "localhost"))
    take_back_to_0_1(path)
    found = customer.run(lambda session: collect(made.task_id, session))
    assert len(found.images) == 1 and customer.sent == 1
    both = customer.run(lambda session: collect_all([made.task_id], session))
    assert both.images == found.images and len(customer.rows) == 1
