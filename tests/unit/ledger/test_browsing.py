"""Pages of the ledger for people, and what it says about a request before it is sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedream_api.errors import Charge, OutcomeUnknown
from seedream_api.images.thumbnails import thumbnail
from seedream_api.ledger.browsing import JobView
from seedream_api.ledger.job_filter import JobFilter
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import TRANSITIONS, JobSpec, State
from seedream_api.service.result_items import ResultItem

pytestmark = pytest.mark.databases("sqlite", "postgresql")


def claimed(ledger: SyncLedger, prompt: str, *states: State, task_id: str | None = None) -> int:
    intent = JobSpec(prompt, "evolink", "Seedream-4.5", "sandbox", "print", prompt, {}, (), 0, 2)
    row = ledger.claim(intent, "key")
    for state in states:
        ledger.move(row.id, state, task_id=task_id if state is State.ACCEPTED else None)
    return row.id


def prompts(ledger: SyncLedger, text: str = "", **choice: object) -> list[str | None]:
    found = ledger.list_jobs(JobFilter(text=text, **choice))  # type: ignore[arg-type]
    return [one.row.prompt for one in found.entries]


def test_page_has_the_newest_jobs_and_the_total(ledger: SyncLedger) -> None:
    for name in "abcde":
        claimed(ledger, name)
    found = ledger.list_jobs(offset=1, limit=2)
    assert [one.row.prompt for one in found.entries] == ["d", "c"] and found.total == 5
    assert ledger.list_jobs(offset=9).entries == ()


def test_text_is_looked_for_as_it_is(ledger: SyncLedger) -> None:
    claimed(ledger, "100% wool")
    claimed(ledger, "100 sheep, snow_man")
    claimed(ledger, "a FOX", State.SENDING, State.ACCEPTED, task_id="task-7")
    assert prompts(ledger, "100%") == ["100% wool"]
    assert prompts(ledger, "w_m") == ["100 sheep, snow_man"]
    assert prompts(ledger, "fox") == prompts(ledger, "TASK-7") == ["a FOX"]
    assert prompts(ledger, "2") == ["100 sheep, snow_man"]
    assert prompts(ledger, "fox", states=(State.UNKNOWN,)) == []


def test_job_view_has_its_owner_and_its_images(ledger: SyncLedger) -> None:
    row = claimed(ledger, "a", State.SENDING)
    ledger.record_response(row, (ResultItem(0, url="https://x.example/0.png"), ResultItem(1)), {})
    found = ledger.get_job(row)
    assert found is not None and found.is_live and found.charge is Charge.PAID
    assert [image.url for image in found.images] == ["https://x.example/0.png", None]
    ledger.release(row)
    released = ledger.get_job(row)
    assert released is not None and not released.is_live
    assert ledger.get_job(99) is None


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_word_about_money(ledger: SyncLedger, state: State) -> None:
    found = ledger.get_job(claimed(ledger, "a"))
    assert found is not None
    told = JobView(found.row.__class__(**{**vars(found.row), "state": state}), (), False)
    assert isinstance(told.charge, Charge) and state in TRANSITIONS


def test_find_reusable_returns_the_row_of_an_equal_request(home: Path, ledger: SyncLedger) -> None:
    def state(wish: str, *, reuse: bool = True) -> State | None:
        row = ledger.find_reusable((wish,), reuse=reuse)
        return row.state if row else None

    assert state("a") is None
    row = claimed(ledger, "a")
    assert state("a") is State.INTENDED
    ledger.release(row)
    assert state("a") is None, "it was never sent, so running it sends it"
    ledger.claim_row(row)
    ledger.move(row, State.SENDING)
    ledger.record_response(row, (ResultItem(0, url="https://x.example/0.png"),), {})
    ledger.move(row, State.COMPLETED)
    assert state("a") is State.COMPLETED and state("a", reuse=False) is None
    unknown = claimed(ledger, "b", State.SENDING)
    ledger.move(unknown, State.UNKNOWN, error=OutcomeUnknown("outcome_unknown_crash", entry=1))
    assert state("b") is state("b", reuse=False) is State.UNKNOWN
    ledger.forget(unknown)
    assert state("b") is None


def test_thumbnail_is_a_small_jpeg_in_the_same_shape(tmp_path: Path) -> None:
    pixels = np.zeros((300, 900, 3), np.uint8)
    pixels[:, 450:] = (0, 0, 255)
    file = tmp_path / "wide.png"
    Image.fromarray(pixels).save(file)
    small = tmp_path / "small.jpg"
    small.write_bytes(thumbnail(file, 90))
    with Image.open(small) as picture:
        assert (picture.format, picture.size) == ("JPEG", (90, 30))
        left, right = picture.getpixel((10, 15)), picture.getpixel((80, 15))
    assert max(left) < 20 and right[2] > 230  # type: ignore[arg-type, index]
