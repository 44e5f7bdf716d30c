"""``generate`` and ``poll``: options, JSON, files, and a full disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seedream_api import LedgerFailed
from support.command_kit import FIELDS, posix
from support.sample_requests import LATER_40, NOW_5


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(data, "PNG")
    return data.getvalue()


def test_every_option_of_generate_reaches_the_body(api_client: Any, out: Path) -> None:
    file = out.parent / "a.png"
    file.write_bytes(picture())
    common = ["--prompt", "2 images: 一只猫", "--ref", file, "--seed", "7", "--out", out, "--json"]
    evolink = ["--size", "16:9", "--quality", "1K", "--n", "2", "--prompt-priority", "fast"]
    preferential = ["--size", "4K", "--output-format", "png", "--watermark"]
    first = api_client.inside("generate", "--model", LATER_40, *evolink, *common, "--timeout", "60")
    second = api_client.inside("generate", "--model", NOW_5, *preferential, *common)
    assert (first.code, second.code) == (0, 0), (first, second)
    bodies = [post.json for post in api_client.sandbox.posts]
    urls = [bodies[0].pop("image_urls"), bodies[1].pop("image")]
    assert [len(found) for found in urls] == [1, 1]
    prompt = {"prompt": "2 images: 一只猫"}
    assert bodies == [
        {"model": LATER_40, **prompt, "size": "16:9", "quality": "1K", "n": 2,
         "prompt_priority": "fast"},
        {"model": NOW_5, **prompt, "size": "4K", "watermark": True, "output_format": "png"},
    ]  # fmt: skip
    assert [row.seed for row in api_client.rows] == [7, 7] and len(first.json["images"]) == 2
    assert [image["path"].endswith(".png") for image in second.json["images"]] == [True]


def test_json_of_generate_identifies_job_and_files(api_client: Any, out: Path) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--seed", "7", "--json"]
    made = api_client.inside(*words, "--out", out).json
    assert (made["job_id"], made["model"], made["seed"], made["origin"]) == (1, NOW_5, 7, "new")
    assert made["charged_images"] == 1 and made["seconds"] >= 0
    assert made["request_id"] == api_client.rows[0].request_id
    [image] = made["images"]
    data = Path(image["path"]).read_bytes()
    assert image["sha256"] == hashlib.sha256(data).hexdigest() and image["bytes"] == len(data)
    assert image["media_type"] in ("image/jpeg", "image/png")
    again = api_client.inside(*words, "--out", out).json
    assert (again["origin"], again["charged_images"]) == ("stored", 0)


def test_prompt_and_pattern_reach_the_body(
    api_client: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png"):
        (out.parent / name).write_bytes(picture())
    stdin = io.TextIOWrapper(io.BytesIO("一只猫\n".encode()), "ascii")
    monkeypatch.setattr(sys, "stdin", stdin)
    pattern = out.parent / "*.png"
    ran = api_client.inside(
        "generate", "--model", NOW_5, "--prompt", "-", "--ref", pattern, "--out", out, "-q"
    )
    [post] = api_client.sandbox.posts
    assert ran.code == 0 and post.json["prompt"] == "一只猫" and len(post.json["image"]) == 2
    assert [Path(line).parent for line in ran.out.splitlines()] == [out], "only the path is shown"


def test_name_template_names_the_files(api_client: Any, out: Path) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat / dog", "--seed", "7", "--out", out]
    ran = api_client.inside(*words, "--name", "{prompt:.40}-{seed:03}-{n}")
    assert Path(ran.out.strip()).stem == "A cat _ dog-007-1"
    wrong = api_client.inside(*words[:-4], "--seed", "8", "--out", out, "--name", "{promt}")
    assert wrong.code == 2 and "{prompt}" in wrong.err and api_client.sent == 1


def test_reference_by_url_travels_as_it_is(api_client: Any, out: Path) -> None:
    url = api_client.generate(model=NOW_5).urls[0]
    words = ["generate", "--model", LATER_40, "--prompt", "A cat", "--ref", url, "--out", out]
    assert api_client.inside(*words).code == 0
    assert api_client.sandbox.posts[-1].json["image_urls"] == [url]


def test_not_waiting_then_polling(make_sandbox: Any, make_api_client: Any, out: Path) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    words = ["generate", "--model", LATER_40, "--prompt", "A cat", "--no-wait"]
    submitted = api_client.inside(*words, "--json")
    assert (submitted.code, submitted.json["status"], submitted.json["images"]) == (
        0, "submitted", [],
    )  # fmt: skip
    task_id = submitted.json["task_id"]
    assert re.search(r"Fetch it with: poll task-\w+", api_client.inside(*words, "--seed", "1").out)
    for option in (["--no-wait"], ["--timeout", "5"]):
        pending = api_client.inside("poll", task_id, *option, "--json")
        assert (pending.code, pending.json["status"]) == (5, "pending")
        assert pending.json["task_ids"] == [task_id] and set(pending.json) == FIELDS
    api_client.sandbox.finish_tasks()
    ready = api_client.inside("poll", task_id, "--no-wait", "--out", out, "--json")
    assert (ready.code, ready.json["status"]) == (0, "completed")
    assert (
        not ready.json["may_have_been_charged"] and Path(ready.json["images"][0]["path"]).exists()
    )


def test_files_are_never_overwritten(api_client: Any, out: Path) -> None:
    out.mkdir()
    other = out / "seedream-1-1.jpg"
    other.write_bytes(b"somebody's only copy")
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--out", out, "--json"]
    paths = [api_client.inside(*words).json["images"][0]["path"] for _ in range(2)]
    assert paths == [str(out / "seedream-1-1-2.jpg")] * 2 and len(list(out.iterdir())) == 2
    assert other.read_bytes() == b"somebody's only copy"


def test_folder_that_cannot_be_written_is_refused_before_paying(api_client: Any, out: Path) -> None:
    out.write_bytes(b"a file")
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json"]
    failed = api_client.inside(*words, "--out", out)
    assert failed.code == 1 and failed.json["error"]["type"] == "LedgerFailed"
    assert api_client.sent == 0 and not failed.json["may_have_been_charged"]
    assert (
        api_client.inside(*words, "--out", out.parent / "other").code == 0 and api_client.sent == 1
    )


def test_folder_that_fails_after_paying_says_it_is_paid(
    api_client: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Path, folder: Path, name: str) -> Path:
        raise LedgerFailed("store_full", path=folder, reason="no space")

    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json"]
    with monkeypatch.context() as patch:
        patch.setattr("seedream_api.cli.delivery.save_into_folder", fail)
        failed = api_client.inside(*words, "--out", out)
    assert failed.code == 1 and failed.json["may_have_been_charged"], failed
    assert "Nothing was charged" not in failed.json["error"]["message"]
    assert "paid for and stored" in failed.json["error"]["message"]
    again = api_client.inside(*words, "--out", out.parent / "other")
    assert again.code == 0 and again.json["reused"] and api_client.sent == 1


@posix
def test_chinese_prompt_is_read_whatever_the_locale(api_client: Any, out: Path) -> None:
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = ["generate", "--model", NOW_5, "--out", out, "--json", "--prompt"]
    ran = api_client.command(*words, "一只猫", **environ)
    assert ran.code == 0, ran
    assert api_client.sandbox.posts[-1].json["prompt"] == "一只猫" and api_client.sent == 1
    gbk = os.fsdecode("窗台上的猫".encode("gbk"))
    refused = api_client.command(*words, gbk, **environ)
    assert refused.code == 2 and "PYTHONUTF8=1" in refused.json["error"]["message"]
    assert api_client.sent == 1


def test_blanks_in_addresses_are_encoded(api_client: Any, out: Path) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--json", "--out", out]
    ran = api_client.inside(*words, "--ref", f" {api_client.sandbox.url}/missing a.png ")
    assert ran.code in (1, 3) and api_client.sent == 1
    [sent] = api_client.sandbox.posts
    assert f"{api_client.sandbox.url}/missing%20a.png" in json.dumps(sent.json)
