"""The command line as people and scripts hold on to it: options, exit codes, JSON, files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from seedream_api import MODELS, LedgerFailed
from support.fake_service import NO_BALANCE_KEY, Delay, Json, Status

NOW_5, LATER_40 = "Seedream-5.0-Lite-Preferential", "Seedream-4.0"
FIELDS = {"status", "task_id", "task_ids", "images", "failures", "references", "reused",
          "may_have_been_charged", "cost",
          "error", "notes", "job_id", "model", "seed", "origin", "charged_images", "seconds",
          "request_id"}  # fmt: skip
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(data, "PNG")
    return data.getvalue()


# ---- a real process ----


def test_the_built_in_sandbox_needs_no_key_and_no_network(api_client: Any, out: Path) -> None:
    words = ["generate", "--model", LATER_40, "--prompt", "A cat", "--quality", "1K"]
    environ = {"DEEPSPACE_BASE_URL": "sandbox", "DEEPSPACE_API_KEY": ""}
    ran = api_client.command(*words, "--out", out, "--json", by_path=True, **environ)
    assert ran.code == 0 and set(ran.json) == FIELDS and ran.err == "", ran
    [image] = ran.json["images"]
    with Image.open(image["path"]) as opened:
        assert opened.size == (image["width"], image["height"])
    assert ran.json["task_ids"] == [ran.json["task_id"]] and ran.json["may_have_been_charged"]
    again = api_client.command(*words, "--out", out, **environ)
    assert again.code == 0 and image["path"] in again.out.splitlines()
    assert "nothing charged" in again.out
    assert api_client.sandbox.requests == []


def test_exit_codes_of_a_real_process(api_client: Any, out: Path) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--out", out]
    api_client.sandbox.faults.push("generate", Status(400))
    refused = api_client.command(*words)
    assert refused.code == 3 and refused.out == "" and "Nothing was charged" in refused.err
    api_client.sandbox.faults.push("generate", Json({}))
    unknown = api_client.command(*words, "--json")
    assert unknown.code == 4 and unknown.json["status"] == "unknown"
    assert "Traceback" not in refused.err + unknown.err and not out.exists()


def test_the_sandbox_command_serves_until_it_is_stopped(api_client: Any) -> None:
    process = api_client.start("sandbox", "--port", "0", "--strict")
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(4)]  # what is read ahead, nobody else gets
    url = said[0].split()[4].rstrip(";")
    with httpx.Client(trust_env=False) as client:
        listed = client.get(f"{url}/v1/models", headers={"Authorization": "Bearer sk-sandbox-free"})
    assert [model["id"] for model in listed.json()["data"]] == list(MODELS)
    process.terminate() if os.name == "nt" else process.send_signal(signal.SIGINT)
    ran = api_client.ended(process)
    assert ran.out == "" and (os.name == "nt" or ran.code == 0), ran
    assert f"DEEPSPACE_BASE_URL={url}" in said[1] and "Ctrl-C" in said[3] and ran.err == ""


# ---- interrupted ----


@posix
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_ctrl_c_during_the_paid_request_waits_for_its_answer(
    make_sandbox: Any, make_api_client: Any, wait_until: Callable[..., None], model: str
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    api_client.sandbox.hold()
    process = api_client.start("generate", "--model", model, "--prompt", "A cat", "--json")
    wait_until(lambda: api_client.sent)
    process.send_signal(signal.SIGINT)
    assert "waiting for its response" in process.stderr.readline()
    api_client.sandbox.release()
    ran = api_client.ended(process)
    assert (ran.code, ran.json["status"]) == (130, "interrupted") and set(ran.json) == FIELDS
    assert ran.json["may_have_been_charged"] and ran.json["error"]["type"] == "Interrupted"
    assert api_client.states == ["accepted" if model == LATER_40 else "completed"]
    api_client.sandbox.finish_tasks()
    assert api_client.generate(model=model).images and api_client.sent == 1


@posix
@pytest.mark.parametrize("command", ["generate", "poll"])
def test_ctrl_c_while_polling_names_the_task(
    make_sandbox: Any, make_api_client: Any, wait_until: Callable[..., None], command: str
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id
    looks = len(api_client.sandbox.requests)
    words = ["poll", task_id] if command == "poll" else []
    words = words or ["generate", "--model", LATER_40, "--prompt", "A cat"]
    process = api_client.start(*words, "--json")
    wait_until(lambda: len(api_client.sandbox.requests) > looks)
    process.send_signal(signal.SIGINT)
    ran = api_client.ended(process)
    assert (ran.code, ran.json["status"], ran.json["task_id"]) == (130, "interrupted", task_id)
    assert ran.json["may_have_been_charged"] and ran.err == "", ran
    assert api_client.states == ["accepted"] and api_client.sent == 1


@posix
def test_a_second_ctrl_c_ends_at_once(api_client: Any, wait_until: Callable[..., None]) -> None:
    api_client.sandbox.hold()
    process = api_client.start("generate", "--model", NOW_5, "--prompt", "A cat")
    wait_until(lambda: api_client.sent)
    process.send_signal(signal.SIGINT)
    assert "waiting for its response" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert api_client.ended(process).code != 0
    api_client.sandbox.release()
    again = api_client.inside("generate", "--model", NOW_5, "--prompt", "A cat", "--json")
    assert (again.code, again.json["status"], api_client.sent) == (4, "unknown", 1)


@posix
def test_ctrl_c_during_last_response_promises_nothing(
    api_client: Any, wait_until: Callable[..., None]
) -> None:
    """The person's own patience is over, then the program's: nobody writes the answer down."""
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--timeout", "1"]
    api_client.sandbox.hold()
    process = api_client.start(*words)
    assert "waiting for its response" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    ran = api_client.ended(process)
    assert ran.code == 130 and "tasks --forget 1" in ran.err, ran
    assert "still recorded" not in ran.err and "without paying again" not in ran.err
    api_client.sandbox.release()
    again = api_client.inside(*words, "--json")
    assert (again.code, again.json["status"], api_client.sent) == (4, "unknown", 1)


def test_an_answer_that_takes_too_long_is_told_without_a_task(api_client: Any) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--timeout", "1"]
    api_client.sandbox.faults.push("generate", Delay(2))
    ran = api_client.command(*words, LC_ALL="zh_CN.UTF-8")
    assert ran.code == 5 and "None" not in ran.err, ran
    assert "The request has no response after 1 s" in ran.err and "等待 1 秒后" in ran.err
    assert api_client.states == ["completed"] and api_client.sent == 1


def test_a_port_that_is_taken_is_told_in_words(api_client: Any) -> None:
    taken = api_client.sandbox.port
    ran = api_client.inside("sandbox", "--port", taken)
    assert ran.code == 1 and "already in use" in ran.err and "地址已被占用" in ran.err, ran
    assert api_client.inside("sandbox", "--port", "70000").code == 2


# ---- generate ----


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


def test_balance_states_units_and_no_more(api_client: Any) -> None:
    ran = api_client.inside("balance", "--json")
    assert ran.code == 0 and ran.json["units"] > 0 and not ran.json["is_unlimited"]
    assert "quota units left" in api_client.inside("balance").out and api_client.sent == 0


def test_a_reference_by_url_travels_as_it_is(api_client: Any, out: Path) -> None:
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("words", [["models"], ["models", "--json"], ["--version"], ["--help"]])
def test_full_stdout_gives_one_line_and_no_traceback(api_client: Any, words: list[str]) -> None:
    environ = {**os.environ, **api_client.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-m", "seedream_api", *words]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            command, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
        silent = subprocess.run(command, env=environ, stdout=full, stderr=full, check=False)
    assert ran.returncode == silent.returncode == 1
    assert "cannot be written" in ran.stderr and "Traceback" not in ran.stderr
    assert "Exception" not in ran.stderr


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


# ---- wrong use ----


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["generate"], "--model"),
        (["generate", "--model", LATER_40], "--prompt"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--nope"], "--nope"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--n", "many"], "--n"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--timeout", "0"], "--timeout"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--timeout", "soon"], "--timeout"),
        (["generate", "--model", "Seedream-9", "--prompt", "x"], "Seedream-9"),
        (["generate", "--model", LATER_40, "--prompt", "  "], "prompt"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--size", "2K"], "size"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--n", "16"], "n"),
        (["generate", "--model", LATER_40, "--prompt", "x", "--watermark"], "watermark"),
        (["generate", "--model", NOW_5, "--prompt", "x", "--n", "1"], "n"),
        (["generate", "--model", NOW_5, "--prompt", "x", "--ref", "/no/such.png"], "such.png"),
        (["generate", "--model", NOW_5, "--prompt", "x", "--ref", "http://0x7f.1/"], "0x7f.1"),
        (["poll", "no/id"], "no/id"),
        (["poll"], "task_id"),
        (["download", "ftp://example.com/a.png"], "ftp://example.com/a.png"),
        (["download", "http://127.0.0.1:9/a.png"], "SEEDREAM_ALLOW_HOSTS=127.0.0.1"),
        (["download", "http://169.254.169.254/latest/"], "169.254.169.254"),
        (["tasks", "--resume", "99"], "99"),
        (["tasks", "--forget", "99"], "99"),
        (["tasks", "--forget", "1", "--resume", "1"], "--resume"),
        (["models", "--nope"], "--nope"),
        (["doctor", "--nope"], "--nope"),
        (["nothing"], "nothing"),
        ([], "command"),
    ],
    ids=lambda given: " ".join(given[:1] + given[-2:]) if isinstance(given, list) else "",
)
def test_wrong_use_exits_with_2_and_one_json_object(
    api_client: Any, words: list[str], named: str
) -> None:
    told = api_client.inside(*words)
    assert told.code == 2 and told.out == "" and named in told.err
    ran = api_client.inside(*words, "--json")
    assert ran.code == 2 and named in ran.json["error"]["message"]
    assert set(ran.json["error"]) == {"type", "message"}
    if words and words[0] in ("generate", "poll", "download"):
        assert set(ran.json) == FIELDS and ran.json["status"] == "error"
        assert not ran.json["may_have_been_charged"]
    else:
        [first, *_] = [name for name in ran.json if name != "error"]
        wanted = {"tasks": "tasks", "models": "models", "doctor": "checks"}
        assert first == wanted.get(words[0] if words else "", "result") and ran.json[first] == []
    assert api_client.sandbox.requests == []


def test_without_a_key_nothing_is_sent(api_client: Any) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "x", "--json"]
    ran = api_client.inside(*words, DEEPSPACE_API_KEY="")
    assert ran.code == 2 and "No API key" in ran.json["error"]["message"]
    bad = api_client.inside(*words, DEEPSPACE_BASE_URL="http://example.com")
    assert bad.code == 2 and "plain http" in bad.json["error"]["message"]
    odd = api_client.inside(*words, SEEDREAM_MAX_SUBMITS="0")
    assert odd.code == 2 and "SEEDREAM_MAX_SUBMITS" in odd.json["error"]["message"]
    assert api_client.sandbox.requests == []


# ---- models, download ----


def test_models_lists_the_catalogue(api_client: Any, tmp_path: Path) -> None:
    more = tmp_path / "models.json"
    more.write_text(json.dumps([{"id": "Seedream-6", "family": "evolink"}]))
    ran = api_client.inside("models", "--json", SEEDREAM_MODELS=str(more))
    assert ran.code == 0 and list(ran.json) == ["models"]
    assert [model["id"] for model in ran.json["models"]] == [*MODELS, "Seedream-6"]
    assert all(name in api_client.inside("models").out for name in MODELS)


def test_download_takes_public_and_allowed_hosts_only(api_client: Any, out: Path) -> None:
    url = api_client.generate(model=NOW_5).urls[0]
    stored = api_client.inside("download", url, "--out", out, "--json")
    assert stored.code == 0 and stored.json["reused"] and set(stored.json) == FIELDS
    strange = url + "?again"  # not in the record
    refused = api_client.inside("download", strange, "--out", out, "--json")
    assert refused.code == 2 and refused.json["error"]["type"] == "UnsafeURL"
    host = api_client.sandbox.url.removeprefix("http://")
    fetched = api_client.inside(
        "download", strange, f"{url}/none", strange, "--out", out, "--json",
        SEEDREAM_ALLOW_HOSTS=host,
    )  # fmt: skip
    assert fetched.code == 0 and fetched.json["status"] == "partial"
    assert [image["url"] for image in fetched.json["images"]] == [strange, strange]
    assert [failure["position"] for failure in fetched.json["failures"]] == [1]
    assert not fetched.json["may_have_been_charged"] and api_client.sent == 1


# ---- doctor ----


CHECK_FIELDS = {"name", "verdict", "message", "message_zh", "origin"}


def checks(ran: Any) -> dict[str, dict[str, str]]:
    assert set(ran.json) == {"checks"}
    assert all(set(one) == CHECK_FIELDS for one in ran.json["checks"])
    return {one["name"]: one for one in ran.json["checks"]}


def test_doctor_when_all_is_well(api_client: Any) -> None:
    ran = api_client.command("doctor", "--json")
    found = checks(ran)
    assert ran.code == 0 and not [one for one in found.values() if one["verdict"] == "problem"]
    assert (
        "accepts the key" in found["service"]["message"]
        and "50000000 quota units left" in found["balance"]["message"]
    )
    assert found["DEEPSPACE_API_KEY"]["message"] == "set"
    assert found["DEEPSPACE_API_KEY"]["origin"] == "environment"
    assert found["SEEDREAM_TIMEOUT_S"]["message"] == "1800"


@pytest.mark.parametrize(
    ("environ", "code", "name", "words"),
    [
        ({"DEEPSPACE_API_KEY": "canary-wrong-key"}, 3, "service", "does not accept the key"),
        ({"DEEPSPACE_API_KEY": ""}, 2, "key", "No API key is set"),
        ({"DEEPSPACE_API_KEY": NO_BALANCE_KEY}, 1, "balance", "0 quota units left"),
        ({"DEEPSPACE_BASE_URL": "http://127.0.0.1:9"}, 1, "service", "could not be reached"),
        ({"SEEDREAM_MODELS": "/no/such/file"}, 2, "models", "/no/such/file"),
        ({"SEEDREAM_HOME": "/proc/nothing"}, 1, "home", "/proc/nothing"),
        ({"SSL_CERT_FILE": "/no/such.pem"}, 1, "certificates", "/no/such.pem"),
    ],
    ids=["wrong key", "no key", "no balance", "unreachable", "models", "home", "certificates"],
)
def test_doctor_says_what_is_wrong(
    api_client: Any, environ: dict[str, str], code: int, name: str, words: str
) -> None:
    ran = api_client.inside("doctor", "--json", **environ)
    found = checks(ran)[name]
    assert found["verdict"] == "problem" and words in found["message"] and ran.code == code
    told = api_client.inside("doctor", **environ)
    assert "FAIL" in told.out and words in told.out
    key = environ.get("DEEPSPACE_API_KEY")
    assert not key or key not in ran.out + told.out + ran.err + told.err


@pytest.mark.parametrize(
    ("route", "fault", "name", "verdict", "words"),
    [
        ("models", Status(404), "service", "note", "no list of models"),
        ("models", Status(502, "<h1>Bad gateway</h1>"), "service", "problem", "HTTP 502"),
        ("models", Json({"data": [{"id": LATER_40}]}), "service", "note", f"not listed: {NOW_5}"),
        ("models", Json({"data": "many"}), "service", "ok", "accepts the key"),
        ("models", Json([1]), "service", "ok", "accepts the key"),
        ("usage", Status(404), "balance", "note", "does not report"),
        ("usage", Json({"data": {"unlimited_quota": True}}), "balance", "ok", "no quota limit"),
        (
            "usage",
            Json({"data": {"total_available": "much"}}),
            "balance",
            "note",
            "does not report",
        ),
    ],
)
def test_doctor_bears_relays_that_answer_in_ways_of_their_own(
    api_client: Any, route: str, fault: Any, name: str, verdict: str, words: str
) -> None:
    api_client.sandbox.faults.push(route, fault)
    checks = {
        check["name"]: check for check in api_client.inside("doctor", "--json").json["checks"]
    }
    assert (checks[name]["verdict"], words in checks[name]["message"]) == (verdict, True), checks
    assert re.search("[\u4e00-\u9fff]", checks[name]["message_zh"])


def test_doctor_says_of_each_setting_where_its_value_came_from(api_client: Any) -> None:
    environ = {"DEEPSPACE_BASE_URL": "sandbox", "DEEPSPACE_API_KEY": "", "LC_ALL": "C"}
    lines = api_client.command("doctor", **environ, SEEDREAM_MAX_SUBMITS="3").out.splitlines()
    assert "ok    SEEDREAM_MAX_SUBMITS: 3  (environment)" in lines
    assert "ok    SEEDREAM_TIMEOUT_S: 1800  (default)" in lines
    assert "ok    DEEPSPACE_API_KEY: the sandbox's own  (default)" in lines
    assert "ok    SEEDREAM_UPLOAD_EVOLINK_KEY: not set  (default)" in lines
    in_chinese = api_client.command("doctor", **{**environ, "LC_ALL": "zh_CN.UTF-8"}).out
    assert "SEEDREAM_UPLOAD_EVOLINK_KEY: 未设置  (默认值)" in in_chinese


@pytest.mark.parametrize("names", [("HTTPS_PROXY", "https_proxy"), ("SEEDREAM_PROXY",)])
def test_doctor_names_the_proxy_without_its_password(
    api_client: Any, names: tuple[str, ...]
) -> None:
    environ = dict.fromkeys(names, "http://someone:hush@127.0.0.1:9")
    environ["DEEPSPACE_BASE_URL"] = "https://api.example.com"
    ran = api_client.inside("doctor", "--json", **environ)
    found = checks(ran)
    assert ran.code == 1 and found["service"]["verdict"] == "problem"
    assert "127.0.0.1:9" in found["proxy"]["message"] and "hush" not in ran.out


def test_live_models_are_matched_and_suggested(
    make_sandbox: Callable[..., Any], make_api_client: Callable[..., Any]
) -> None:
    from seedream_api.catalog import parse_models

    new = '[{"id": "Seedream-5.5", "family": "evolink"}]'
    client = make_api_client(make_sandbox(models=parse_models(new, MODELS)))
    ran = client.inside("models", "--live", "--json")
    assert ran.code == 0 and [one["id"] for one in ran.json["offered"]] == [*MODELS, "Seedream-5.5"]
    suggestion = ran.json["offered"][-1]["suggestion"]
    assert suggestion["like"] == "Seedream-4.5" and suggestion["max_references"] == 14
    assert ran.json["missing"] == [] and client.sent == 0
    client.home.mkdir(exist_ok=True)
    (client.home / "models.json").write_text(json.dumps([suggestion]), "utf-8")
    again = client.inside("models", "--live", "--json").json["offered"][-1]
    assert again["known_as"] == ["Seedream-5.5"] and again["suggestion"] is None
    closed = make_api_client(make_sandbox(simulated=["no-models-list"]))
    assert closed.inside("models", "--live", "--json").json["offered"] is None
