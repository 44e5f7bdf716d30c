"""Wrong use of the command line: exit code 2, one JSON object, and nothing sent."""

from __future__ import annotations

from typing import Any

import pytest

from support.command_kit import FIELDS
from support.sample_requests import LATER_40, NOW_5


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
    error = ran.json["error"]
    assert {"type", "message", "charge", "code", "field"} <= set(error)
    assert error["charge"] == "none"
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
