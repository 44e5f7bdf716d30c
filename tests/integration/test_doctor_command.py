"""``doctor``: what it checks and what it reports."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.fake_service import NO_BALANCE_KEY, Json, Status
from support.sample_requests import LATER_40, NOW_5

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
        ("usage", Status(404), "balance", "ok", "100.00 left"),
        ("usage", Json({"data": {"unlimited_quota": True}}), "balance", "ok", "no quota limit"),
        ("usage", Json({"data": {"total_available": "much"}}), "balance", "ok", "100.00 left"),
    ],
)
def test_doctor_accepts_unusual_responses_of_relays(
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
