"""Commands in a real process: exit codes, signals, and a full stdout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from seedream_api import MODELS
from support.command_kit import FIELDS, posix
from support.fake_service import Delay, Json, Status
from support.sample_requests import LATER_40, NOW_5

# ---- a real process ----


def test_built_in_sandbox_needs_no_key_and_no_network(api_client: Any, out: Path) -> None:
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


def test_sandbox_command_serves_until_it_is_stopped(api_client: Any) -> None:
    process = api_client.start("sandbox", "--port", "0", "--strict")
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(4)]  # what is read ahead is gone
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
def test_ctrl_c_during_a_paid_request_waits_for_its_response(
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
def test_second_ctrl_c_ends_at_once(api_client: Any, wait_until: Callable[..., None]) -> None:
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
    """The user stops waiting, then the program does: the response is not recorded."""
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


def test_timeout_of_the_response_is_reported_without_a_task(api_client: Any) -> None:
    words = ["generate", "--model", NOW_5, "--prompt", "A cat", "--timeout", "1"]
    api_client.sandbox.faults.push("generate", Delay(2))
    ran = api_client.command(*words, LC_ALL="zh_CN.UTF-8")
    assert ran.code == 5 and "None" not in ran.err, ran
    assert "The request has no response after 1 s" in ran.err and "等待 1 秒后" in ran.err
    assert api_client.states == ["completed"] and api_client.sent == 1


def test_sandbox_port_in_use_is_reported(api_client: Any) -> None:
    taken = api_client.sandbox.port
    ran = api_client.inside("sandbox", "--port", taken)
    assert ran.code == 1 and "already in use" in ran.err and "地址已被占用" in ran.err, ran
    assert api_client.inside("sandbox", "--port", "70000").code == 2


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
