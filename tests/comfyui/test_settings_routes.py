"""The routes of the settings panel and of its checks, through a real server."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable

import pytest

from support.comfy_fixture import ComfyFixture
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, setting, settings_file

KEY, OTHER = "sk-route-4f9c1e77", "sk-other-88aa31d0"
"""The server must not return any part of them."""


def test_setting_is_saved_listed_and_taken_back(fresh: ComfyServer) -> None:
    first = ask(fresh, "/settings")
    before = setting(first, "SEEDREAM_STORE_GB")
    assert (before["value"], before["origin"], before["editable"]) == ("20", "default", True)
    saved = setting(ask(fresh, "/settings", {"SEEDREAM_STORE_GB": 3}), "SEEDREAM_STORE_GB")
    assert (saved["value"], saved["origin"]) == ("3", "settings file")
    assert json.loads(settings_file(fresh).read_text("utf-8")) == {"SEEDREAM_STORE_GB": "3"}
    back = setting(ask(fresh, "/settings", {"SEEDREAM_STORE_GB": None}), "SEEDREAM_STORE_GB")
    assert (back["value"], back["origin"]) == ("20", "default")


def test_setting_of_environment_cannot_be_edited(fresh: ComfyServer) -> None:
    fixed = setting(ask(fresh, "/settings"), "SEEDREAM_MAX_SUBMITS")
    assert (fixed["value"], fixed["origin"], fixed["editable"]) == ("2", "environment", False)
    assert "environment" in fixed["reason"]["en"] and "环境变量" in fixed["reason"]["zh"]
    status, reason = refusal(ask(fresh, "/settings", {"SEEDREAM_MAX_SUBMITS": 8}))
    assert status == 400 and "SEEDREAM_MAX_SUBMITS is fixed by the environment" in reason
    assert not settings_file(fresh).exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SEEDREAM_STORE_GB": -1}, "a number from 0.01"),
        ({"SEEDREAM_REUSE": "maybe"}, "on, off"),
        ({"SEEDREAM_UPLOAD": "ftp"}, "auto, inline, s3"),
        ({"DEEPSPACE_BASE_URL": "http://example.com"}, "unencrypted"),
        ({"DEEPSPACE_BASE_URL": "https://user:secret@example.com"}, "user name"),
        ({"SEEDREAM_NOTHING": "x"}, "no setting 'SEEDREAM_NOTHING'"),
        ({"SEEDREAM_STORE": "s3://other"}, "browsers may not set it"),
        ({"SEEDREAM_MODELS": "/etc/passwd"}, "browsers may not set paths"),
        ({"DEEPSPACE_API_KEY": "sk with blanks"}, "keys do not have"),
    ],
)
def test_wrong_value_is_refused_by_the_rules_of_reading(
    fresh: ComfyServer, changes: dict[str, object], reason: str
) -> None:
    # A good value beside it is not saved either.
    answer = ask(fresh, "/settings", {"SEEDREAM_TIMEOUT_S": 60, **changes})
    status, told = refusal(answer)
    assert status == 400 and reason in told
    assert "secret" not in told and not settings_file(fresh).exists()


def test_wrong_value_in_the_file_is_corrected_from_the_panel(fresh: ComfyServer) -> None:
    settings_file(fresh).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings_file(fresh).write_text('{"SEEDREAM_PARTIAL": "perhaps"}', "utf-8")
    wrong = setting(ask(fresh, "/settings"), "SEEDREAM_PARTIAL")
    assert wrong["value"] == "perhaps" and "keep, fail" in wrong["error"]["en"]
    mended = setting(ask(fresh, "/settings", {"SEEDREAM_PARTIAL": "fail"}), "SEEDREAM_PARTIAL")
    assert (mended["value"], mended["error"]) == ("fail", None)


def test_saved_key_is_private_and_never_returned(fresh: ComfyServer) -> None:
    answers = [ask(fresh, "/settings", {"DEEPSPACE_API_KEY": KEY})]
    key = setting(answers[0], "DEEPSPACE_API_KEY")
    assert (key["value"], key["is_set"], key["origin"]) == (None, True, "settings file")
    file = settings_file(fresh)
    saved = json.loads(file.read_text("utf-8"))
    assert saved == {"DEEPSPACE_API_KEY": KEY, "key_address": "https://api.deepspaceai.net"}
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    paths = ["/settings", "/tasks", "/tasks?text=" + KEY[:6]]
    answers += [ask(fresh, path) for path in paths]
    answers.append(fresh.request("GET", "/settings"))
    answers.append(fresh.request("GET", "/userdata?dir=__seedream"))
    answers.append(fresh.request("GET", "/userdata/..%2F__seedream%2Fsettings.json"))
    assert all(KEY.encode() not in answer.body for answer in answers)
    holding = [
        path
        for path in fresh.base.rglob("*")
        if path.is_file() and not path.is_symlink() and KEY.encode() in path.read_bytes()
    ]
    assert holding == [file]
    assert KEY not in fresh.log


def test_another_address_asks_for_the_key_again(fresh: ComfyServer) -> None:
    ask(fresh, "/settings", {"DEEPSPACE_API_KEY": KEY})
    moved = ask(fresh, "/settings", {"DEEPSPACE_BASE_URL": "https://relay.example/v1"})
    assert setting(moved, "DEEPSPACE_BASE_URL")["value"] == "https://relay.example"
    key = setting(moved, "DEEPSPACE_API_KEY")
    assert key["is_set"] is False and "belongs to https://api.deepspaceai.net" in key["error"]["en"]
    again = ask(fresh, "/settings", {"DEEPSPACE_API_KEY": OTHER})
    assert setting(again, "DEEPSPACE_API_KEY")["is_set"] is True
    saved = json.loads(settings_file(fresh).read_text("utf-8"))
    assert saved["key_address"] == "https://relay.example"


def test_sandbox_takes_no_key_of_a_person(fresh: ComfyServer) -> None:
    ask(fresh, "/settings", {"DEEPSPACE_API_KEY": KEY})
    key = setting(ask(fresh, "/settings", {"DEEPSPACE_BASE_URL": "sandbox"}), "DEEPSPACE_API_KEY")
    assert key["editable"] is False and "needs no key" in key["reason"]["en"]
    assert refusal(ask(fresh, "/settings", {"DEEPSPACE_API_KEY": OTHER}))[0] == 400
    back = ask(fresh, "/settings", {"DEEPSPACE_BASE_URL": None})
    assert setting(back, "DEEPSPACE_API_KEY")["is_set"] is True


def test_upload_secrets_do_not_follow_to_another_host(fresh: ComfyServer) -> None:
    url, headers = "SEEDREAM_UPLOAD_HTTP_URL", "SEEDREAM_UPLOAD_HTTP_HEADERS"
    secret = json.dumps({"Authorization": f"Bearer {KEY}"})
    first = ask(fresh, "/settings", {url: "https://pictures.example/up?key=9", headers: secret})
    assert setting(first, headers)["is_set"] and KEY.encode() not in first.body
    assert setting(first, url)["value"] == "https://pictures.example/up?***"
    assert setting(first, url)["is_hidden"] is True
    same = ask(fresh, "/settings", {url: "https://pictures.example/other"})
    assert setting(same, headers)["is_set"] is True
    moved = ask(fresh, "/settings", {url: "https://thief.example/up"})
    assert setting(moved, headers)["is_set"] is False
    assert KEY not in settings_file(fresh).read_text("utf-8")


PASSWORD = "hush-9c41"


def test_proxy_is_shown_without_its_password(fresh: ComfyServer) -> None:
    address = {"DEEPSPACE_BASE_URL": "https://relay.example"}
    first = ask(fresh, "/settings", {**address, "SEEDREAM_PROXY": f"me:{PASSWORD}@127.0.0.1:7890"})
    row = setting(first, "SEEDREAM_PROXY")
    assert (row["value"], row["is_hidden"], row["is_set"]) == ("http://127.0.0.1:7890", True, True)
    saved = json.loads(settings_file(fresh).read_text("utf-8"))
    assert saved["SEEDREAM_PROXY"] == f"http://me:{PASSWORD}@127.0.0.1:7890"
    assert first.json()["proxy"] == "http://127.0.0.1:7890"
    checked = ask(fresh, "/doctor", {})
    assert {one["name"]: one for one in checked.json()["checks"]}["proxy"]["verdict"] == "note"
    answers = (first, checked, ask(fresh, "/settings"), ask(fresh, "/tasks"))
    assert all(PASSWORD.encode() not in answer.body for answer in answers)
    assert PASSWORD not in fresh.log
    back = ask(fresh, "/settings", {"SEEDREAM_PROXY": ""})
    assert setting(back, "SEEDREAM_PROXY")["is_set"] is False and back.json()["proxy"] is None


def test_invalid_proxy_is_refused_or_shown_at_its_field(
    fresh: ComfyServer,
) -> None:
    wrong = f"ftp://me:{PASSWORD}@127.0.0.1:21"
    refused = ask(fresh, "/settings", {"SEEDREAM_PROXY": wrong})
    status, reason = refusal(refused)
    assert status == 400 and "socks5" in reason and not settings_file(fresh).exists()
    settings_file(fresh).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings_file(fresh).write_text(json.dumps({"SEEDREAM_PROXY": wrong}), "utf-8")
    listed = ask(fresh, "/settings")
    assert "代理无法使用" in setting(listed, "SEEDREAM_PROXY")["error"]["zh"]
    assert PASSWORD.encode() not in refused.body + listed.body


def test_environment_proxy_cannot_be_edited_nor_password_seen(
    boot_comfyui: Callable[..., ComfyServer],
) -> None:
    proxy = {"SEEDREAM_PROXY": f"socks5://me:{PASSWORD}@127.0.0.1:1080"}
    server = boot_comfyui(environment={**proxy, "HTTPS_PROXY": "http://127.0.0.1:9"})
    listed = ask(server, "/settings")
    row = setting(listed, "SEEDREAM_PROXY")
    assert (row["value"], row["origin"], row["editable"], row["is_hidden"]) == (
        "socks5://127.0.0.1:1080", "environment", False, True,
    )  # fmt: skip
    assert listed.json()["proxy"] == "socks5://127.0.0.1:1080"
    refused = ask(server, "/settings", {"SEEDREAM_PROXY": "http://127.0.0.1:7890"})
    assert "SEEDREAM_PROXY is fixed by the environment" in refusal(refused)[1]
    assert PASSWORD.encode() not in listed.body + refused.body
    assert PASSWORD not in server.log
    server.stop()


def test_browser_cannot_send_environment_key_elsewhere(
    boot_comfyui: Callable[..., ComfyServer],
) -> None:
    server = boot_comfyui(environment={"DEEPSPACE_API_KEY": KEY})
    address = setting(ask(server, "/settings"), "DEEPSPACE_BASE_URL")
    assert address["only"] == ["https://api.deepspaceai.net", "sandbox"]
    thief = {"DEEPSPACE_BASE_URL": "https://thief.example"}
    status, reason = refusal(ask(server, "/settings", thief))
    assert status == 400 and "DEEPSPACE_API_KEY comes from the environment" in reason
    sandbox = ask(server, "/settings", {"DEEPSPACE_BASE_URL": "sandbox"})
    assert setting(sandbox, "DEEPSPACE_BASE_URL")["value"] == "sandbox"
    assert KEY.encode() not in sandbox.body
    server.stop()


def test_checks_of_a_fresh_install_say_that_a_key_is_missing(fresh: ComfyServer) -> None:
    checks = {one["name"]: one for one in ask(fresh, "/doctor", {}).json()["checks"]}
    assert checks["key"]["verdict"] == "problem" and "尚未设置" in checks["key"]["message"]["zh"]
    assert checks["home"]["verdict"] == "ok"


def test_checks_and_the_upload_test_run_against_the_service(comfy: ComfyFixture) -> None:
    checks = {one["name"]: one for one in ask(comfy.server, "/doctor", {}).json()["checks"]}
    assert {checks[name]["verdict"] for name in ("service", "balance", "uploads")} <= {"ok", "note"}
    assert ask(comfy.server, "/uploads/test", {}).json()["way"] is not None
