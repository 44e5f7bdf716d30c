"""Responses of the service and of image hosts, as parsed bodies and headers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seedream_api.downloads import transfer
from seedream_api.network import retry, transport, url_guard
from seedream_api.service import client, failures, reading, refusals, result_items, verdicts
from seedream_api.service.task import to_task
from seedream_api.uploads import evolink, http, image_host

from .. import response_shapes
from ..byte_random import Dice
from ..input_mutations import NAMES, ODD_TEXTS, as_bytes, mutated
from .checks import SECRET, SECRETS, ours, settings_of, told

STATUSES = (200, 200, 201, 204, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 999)


def _client(folder: Path) -> Any:
    return client.SeedreamClient(settings_of(
        folder / "client", DEEPSPACE_API_KEY=SECRET, DEEPSPACE_BASE_URL="https://api.example.com",
        SEEDREAM_UPLOAD_EVOLINK_KEY=SECRET, SEEDREAM_UPLOAD_HTTP_URL="imgbb",
    ))  # fmt: skip


def answer_bodies(dice: Dice, folder: Path) -> None:
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    headers = {dice.pick(["x-request-id", "retry-after", "retry-after-ms"]): dice.pick(ODD_TEXTS)}
    answer = transport.HttpResponse(dice.pick(STATUSES), headers, body)
    read = reading.parse_http_response(
        answer, result_items.ItemReader("https://service.example"), SECRET
    )
    to_task(read, "task-1", answer.status)
    assert isinstance(read.has_images, bool)
    assert not (verdicts.judge_submission(read) is verdicts.Verdict.REFUSED and read.has_images)
    refusal = failures.to_refusal(read, SECRETS)
    told(refusal)
    refusals.is_retryable(refusal)
    told(failures.to_poll_failure(read, headers, task_id="task-1", secrets=SECRETS))
    retry.parse_retry_after(headers, 1e9)
    with ours():
        failures.parse_submission(read, SECRETS)


def hosts_answers(dice: Dice, folder: Path) -> None:
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    answer = transport.HttpResponse(dice.pick(STATUSES), {}, body)
    asked = _client(folder)
    try:
        parsed: Any = answer.json()
    except ValueError:
        parsed = None
    with ours():
        placed = evolink.EvolinkFiles(asked)._parse_upload(parsed, answer, SECRET)
        assert placed.url.startswith(("http://", "https://"))
    with ours():
        path = ".".join(dice.pick([*NAMES, "0", "1"]) for _ in range(1 + dice.below(4)))
        http.parse_result_url(image_host._get_at_path(parsed, path), answer, SECRETS)
    http.describe_response(answer, SECRETS)


def download_headers(dice: Dice, folder: Path) -> None:
    """Read the headers of a response, as a hostile server writes them."""
    names = ("content-length", "content-range", "content-encoding", "etag", "last-modified",
             "retry-after")  # fmt: skip
    headers = {dice.pick(names): dice.pick([*ODD_TEXTS, "bytes 5-9/10", "bytes */10", '"tag"'])
               for _ in range(dice.below(5))}  # fmt: skip

    async def chunks() -> Any:
        yield dice.raw(60)

    part: Any = SimpleNamespace(size=dice.below(12), received=dice.below(12), head=dice.raw(40))

    async def emptied() -> None:
        part.size = part.received = 0

    part.empty = emptied
    job = transfer.Transfer(
        "https://x.example/a", url_guard.FetchPolicy(), 1000, part, validator='"tag"'
    )
    said = transport.StreamedResponse(
        dice.pick([200, 203, 206, 304, 404, 416, 429]), headers, chunks()
    )

    async def judged() -> None:
        job.check_response(said)
        await job.begin(said)

    with ours():
        asyncio.run(judged())
