"""The routes of the panels, through a real server: settings, tasks, quotes; and who may ask."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, sent_states, setting, settings_file

KEY, OTHER = "sk-route-4f9c1e77", "sk-other-88aa31d0"
"""No part of them may come back from the server."""


@pytest.fixture(scope="module")
def plain(boot_comfyui: Callable[..., ComfyServer]) -> ComfyServer:
    """A server as a fresh install starts it: nothing is set, and all is kept in its own folder."""
    return boot_comfyui(environment={"SEEDREAM_MAX_SUBMITS": "2"})


@pytest.fixture
def fresh(plain: ComfyServer) -> Iterator[ComfyServer]:
    file = settings_file(plain)
    file.unlink(missing_ok=True)
    yield plain
    file.unlink(missing_ok=True)


# --- settings -------------------------------------------------------------------------------------


def test_a_setting_is_saved_listed_and_taken_back(fresh: ComfyServer) -> None:
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
        ({"SEEDREAM_MODELS": "/etc/passwd"}, "browsers may not set paths"),
        ({"DEEPSPACE_API_KEY": "sk with blanks"}, "keys do not have"),
    ],
)
def test_a_wrong_value_is_refused_by_the_rules_of_reading(
    fresh: ComfyServer, changes: dict[str, object], reason: str
) -> None:
    # A good value beside it is not saved either.
    answer = ask(fresh, "/settings", {"SEEDREAM_TIMEOUT_S": 60, **changes})
    status, told = refusal(answer)
    assert status == 400 and reason in told
    assert "secret" not in told and not settings_file(fresh).exists()


def test_a_file_with_a_wrong_value_can_be_mended_from_the_panel(fresh: ComfyServer) -> None:
    settings_file(fresh).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings_file(fresh).write_text('{"SEEDREAM_PARTIAL": "perhaps"}', "utf-8")
    wrong = setting(ask(fresh, "/settings"), "SEEDREAM_PARTIAL")
    assert wrong["value"] == "perhaps" and "keep, fail" in wrong["error"]["en"]
    mended = setting(ask(fresh, "/settings", {"SEEDREAM_PARTIAL": "fail"}), "SEEDREAM_PARTIAL")
    assert (mended["value"], mended["error"]) == ("fail", None)


def test_a_saved_key_is_for_its_owner_alone_and_never_answered(fresh: ComfyServer) -> None:
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


def test_the_sandbox_takes_no_key_of_a_person(fresh: ComfyServer) -> None:
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


def test_a_proxy_is_shown_without_its_password(fresh: ComfyServer) -> None:
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


def test_the_checks_of_a_fresh_install_say_that_a_key_is_missing(fresh: ComfyServer) -> None:
    checks = {one["name"]: one for one in ask(fresh, "/doctor", {}).json()["checks"]}
    assert checks["key"]["verdict"] == "problem" and "尚未设置" in checks["key"]["message"]["zh"]
    assert checks["home"]["verdict"] == "ok"


def test_the_checks_and_the_upload_test_run_against_the_service(comfy: ComfyFixture) -> None:
    checks = {one["name"]: one for one in ask(comfy.server, "/doctor", {}).json()["checks"]}
    assert {checks[name]["verdict"] for name in ("service", "balance", "uploads")} <= {"ok", "note"}
    assert ask(comfy.server, "/uploads/test", {}).json()["way"] is not None


# --- who may ask ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("https://thief.example", {}),
        ("null", {}),
        (None, {}),
        ("own", {"Sec-Fetch-Site": "cross-site"}),
        ("own", {"Sec-Fetch-Site": "same-site"}),
        (None, {"Sec-Fetch-Site": "none"}),
    ],
)
@pytest.mark.parametrize("path", ["/settings", "/doctor", "/uploads/test", "/tasks/1/forget"])
def test_a_change_from_elsewhere_is_refused(
    fresh: ComfyServer, path: str, origin: str | None, headers: dict[str, str]
) -> None:
    answer = ask(fresh, path, {"SEEDREAM_STORE_GB": 3}, origin, **headers)
    # ComfyUI itself refuses some of them, without a word.
    assert answer.status == 403
    assert not settings_file(fresh).exists()


def test_reading_from_another_page_is_refused(fresh: ComfyServer) -> None:
    for path in ("/settings", "/tasks", "/tasks/1/images/0"):
        theirs = ask(fresh, path, None, None, **{"Sec-Fetch-Site": "cross-site"})
        assert theirs.status == 403  # newer hosts refuse by themselves, without a word
    assert ask(fresh, "/settings", None, None).status == 200


def test_a_body_must_be_json_an_object_and_small(fresh: ComfyServer) -> None:
    big = {"SEEDREAM_ALLOW_HOSTS": "x" * 70_000}
    assert refusal(ask(fresh, "/settings", big))[0] == 413
    assert refusal(ask(fresh, "/settings", ["SEEDREAM_REUSE"]))[0] == 400
    text = {"Content-Type": "text/plain"}
    assert refusal(ask(fresh, "/settings", {"SEEDREAM_REUSE": "off"}, **text))[0] == 400
    assert not settings_file(fresh).exists()


def test_a_path_leads_to_no_file(fresh: ComfyServer) -> None:
    tries = (
        "/tasks/1/images/..%2F..%2Fsettings.json",
        "/tasks/..%2Fsettings.json/images/0",
        "/tasks/1/images/0/../../../settings.json",
        "/tasks/1/images/-1",
        "/tasks/999999/images/0",
        "/tasks/%00/images/0",
    )
    ask(fresh, "/settings", {"DEEPSPACE_API_KEY": KEY})
    for path in tries:
        answer = raw_get(fresh, "/seedream" + path)
        assert answer.startswith(b"HTTP/1.1 404") and KEY.encode() not in answer


def raw_get(server: ComfyServer, path: str) -> bytes:
    """The path as it is: a client's library would tidy it up first."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        parts: list[bytes] = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_multi_user_closes_panels_but_nodes_work(
    boot_comfyui: Callable[..., ComfyServer], prompt: str
) -> None:
    server = boot_comfyui(environment={"DEEPSPACE_BASE_URL": "sandbox"}, arguments=["--multi-user"])
    for path, body in (
        ("/settings", None),
        ("/settings", {"SEEDREAM_REUSE": "off"}),
        ("/doctor", {}),
        ("/uploads/test", {}),
        ("/tasks", None),
        ("/tasks/1/images/0", None),
        ("/tasks/1/forget", {}),
        ("/quote", {"class_type": "SeedreamEvolink", "inputs": {}}),
    ):
        status, reason = refusal(ask(server, path, body))
        assert status == 403 and "several users" in reason
    outcome = server.run({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    assert outcome.status == "success"
    server.stop()


# --- tasks ----------------------------------------------------------------------------------------


def tasks(comfy: ComfyFixture, prompt: str, **query: object) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in {"text": prompt, **query}.items())
    answer = ask(comfy.server, f"/tasks?{words.replace(' ', '%20')}")
    assert answer.status == 200, answer.body
    return answer.json()["tasks"]


def graph(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {"1": workflows.evolink(prompt, **inputs), "2": workflows.look("1")}


def test_what_the_built_in_sandbox_made_is_listed_as_free(
    comfyui: ComfyServer, comfy: ComfyFixture, prompt: str
) -> None:
    assert (
        comfyui.run({"1": workflows.evolink(prompt), "2": workflows.save("1")}).status == "success"
    )
    comfy.run(graph(prompt))
    (free,) = ask(comfyui, f"/tasks?text={prompt.replace(' ', '%20')}").json()["tasks"]
    (paid,) = tasks(comfy, prompt)
    assert (free["is_free"], paid["is_free"]) == (True, False)


def test_a_task_is_listed_with_what_it_cost_and_its_images(
    comfy: ComfyFixture, prompt: str
) -> None:
    comfy.run(graph(prompt, seed=1))
    comfy.run(graph(prompt, seed=2))
    newest, older = tasks(comfy, prompt)
    assert newest["id"] > older["id"]
    assert tasks(comfy, prompt, limit=1) == [newest]
    assert tasks(comfy, prompt, limit=1, offset=1) == [older]
    assert tasks(comfy, prompt, state="unknown") == []
    assert newest["state"] == "completed" and newest["charge"] == "made"
    assert newest["prompt"] == prompt and newest["made"] == 1 and newest["error"] is None
    path = f"/tasks/{newest['id']}/images/{newest['stored'][0]}"
    image, small = ask(comfy.server, path), ask(comfy.server, f"{path}?thumbnail=1")
    assert image.body[:3] == b"\xff\xd8\xff" and small.body[:3] == b"\xff\xd8\xff"
    assert len(small.body) < len(image.body) and len(small.body) < 50_000
    whole = ask(comfy.server, f"/tasks/{newest['id']}").json()
    assert "urls" not in whole and whole["fields"]["quality"] == "1K"


def test_unknown_outcome_has_hint_in_both_languages(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import DropAfterReceipt

    comfy.sandbox.faults.push("generate", DropAfterReceipt())
    comfy.fail(graph(prompt))
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["charge"]) == ("unknown", "possible")
    assert "will not be sent again" in task["error"]["en"]["advice"]
    assert "不会再次发送" in task["error"]["zh"]["advice"]


def test_forgetting_lets_the_same_inputs_be_paid_for_again(
    comfy: ComfyFixture, prompt: str
) -> None:
    comfy.run(graph(prompt))
    (task,) = tasks(comfy, prompt)
    forgotten = ask(comfy.server, f"/tasks/{task['id']}/forget", {})
    assert forgotten.json()["state"] == "forgotten"
    assert tasks(comfy, prompt) == []
    comfy.run({"80": workflows.text(prompt, "again"), **graph(["80", 0])})  # type: ignore[arg-type]
    assert len(comfy.posts(prompt)) == 2
    assert refusal(ask(comfy.server, "/tasks/999999/forget", {}))[0] == 404


def test_a_running_task_cannot_be_forgotten_and_ends_whole(
    comfy: ComfyFixture, prompt: str
) -> None:
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph(prompt), prompt)
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["is_live"]) == ("sending", True)
    assert refusal(ask(comfy.server, f"/tasks/{task['id']}/forget", {}))[0] == 409
    comfy.sandbox.release()
    assert comfy.server.wait(prompt_id).status == "success"
    (task,) = tasks(comfy, prompt)
    assert (task["state"], task["is_live"], task["progress"]) == ("completed", False, None)


def test_every_change_of_a_task_reaches_the_browser_by_websocket(
    comfy: ComfyFixture, prompt: str
) -> None:
    outcome = comfy.run(graph(prompt))
    comfy.until(lambda: "completed" in sent_states(comfy, prompt))
    states = sent_states(comfy, prompt)
    assert states[-1] == "completed" and len(states) < 60
    assert outcome.status == "success"


# --- quotes ---------------------------------------------------------------------------------------


def quote(
    comfy: ComfyFixture, class_type: str = "SeedreamEvolink", **inputs: Any
) -> dict[str, Any]:
    answer = ask(comfy.server, "/quote", {"class_type": class_type, "inputs": inputs})
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_click_is_quoted_before_it_is_made_and_free_afterwards(
    comfy: ComfyFixture, prompt: str
) -> None:
    inputs: dict[str, Any] = {**workflows.evolink(prompt)["inputs"], "n": 4}
    widgets = {**inputs, "seed": 3, "image_urls": "", "wait": True, "fit": "pad"}
    cost = {"estimated": None, "charged": None, "currency": None}
    expected = {
        "images": 4, "linked": False, "state": None, "sandbox": True, "cost": cost, "limit": None,
    }  # fmt: skip
    first = quote(comfy, **widgets)
    notes = first.pop("notes")
    assert first == expected
    assert "does not ask for several images" in notes["en"][0] and "没有要求多张" in notes["zh"][0]
    several = {**widgets, "prompt": f"a series of 4 images of {prompt}"}
    assert quote(comfy, **several) == expected
    comfy.run({"1": workflows.evolink(prompt, n=4, seed=3), "2": workflows.look("1")})
    posts = len(comfy.sandbox.requests)
    assert quote(comfy, **widgets)["images"] == 0
    assert quote(comfy, **{**widgets, "fit": "crop", "wait": False})["state"] == "completed"
    assert quote(comfy, **{**widgets, "seed": 4})["images"] == 4
    linked = quote(comfy, **{**widgets, "prompt": ["9", 0]})
    assert linked == {**expected, "linked": True}, "each item of a linked list is charged"
    assert quote(comfy, **{**widgets, "n": ["9", 0]})["images"] == 15
    assert len(comfy.sandbox.requests) == posts, "a quote asks the service nothing"


def test_reuse_off_quotes_stored_result_as_charge(comfy: ComfyFixture, prompt: str) -> None:
    inputs = workflows.preferential(prompt)["inputs"]
    comfy.run({"1": workflows.preferential(prompt), "2": workflows.look("1")})
    assert quote(comfy, "SeedreamPreferential", **inputs)["images"] == 0
    with comfy.settings(SEEDREAM_REUSE="off"):
        assert quote(comfy, "SeedreamPreferential", **inputs)["images"] == 1


def test_what_would_fail_is_quoted_with_its_reason(comfy: ComfyFixture, prompt: str) -> None:
    for inputs, reason in (
        ({"prompt": " ", "model": "Seedream-4.0"}, "prompt is empty"),
        ({"prompt": prompt, "model": "Seedream-9"}, "not a known model"),
        ({"prompt": 3, "model": "Seedream-4.0"}, "must be texts"),
    ):
        answer = ask(comfy.server, "/quote", {"class_type": "SeedreamEvolink", "inputs": inputs})
        told = answer.json()
        # No failed request: a browser would log each as an error while a prompt is still empty.
        assert answer.status == 200 and told["images"] == 0 and reason in told["error"]["en"]
