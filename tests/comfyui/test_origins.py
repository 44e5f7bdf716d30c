"""Under which host names the panels' routes respond, and what a browser may not send elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, setting, settings_file

READ = ("/settings", "/tasks", "/tasks/1", "/tasks/1/images/0")
CHANGES = ("/settings", "/doctor", "/uploads/test", "/tasks/1/forget", "/quote")
ENDPOINT = "SEEDREAM_UPLOAD_S3_ENDPOINT"


@pytest.fixture(scope="module")
def server(boot_comfyui: Callable[..., ComfyServer]) -> ComfyServer:
    return boot_comfyui(environment={"AWS_SECRET_ACCESS_KEY": "a-secret-of-the-machine"})


def under(server: ComfyServer, name: str) -> dict[str, str]:
    """The headers of a page that was loaded from this server under another name."""
    netloc = f"{name}:{server.url.rpartition(':')[2]}"
    return {"Host": netloc, "Origin": f"http://{netloc}"}


@pytest.mark.parametrize(
    "name", ["thief.example", "127.0.0.1.thief.example", "localhost.thief.example", "2130706433"]
)
def test_page_under_a_rebound_name_is_refused(server: ComfyServer, name: str) -> None:
    headers = under(server, name)
    for path in READ:
        for given in (headers, {"Host": headers["Host"]}):
            assert ask(server, path, None, None, **given).status == 403, path
    for path in CHANGES:
        answer = ask(server, path, {"SEEDREAM_STORE_GB": 3}, None, **headers)
        assert answer.status == 403, path
    assert not settings_file(server).exists()


def test_refused_name_is_named_in_both_languages(server: ComfyServer) -> None:
    headers = {**under(server, "thief.example"), "Sec-Fetch-Site": "same-origin"}
    status, reason = refusal(ask(server, "/settings", None, None, **headers))
    assert status == 403 and "thief.example" in reason and "--listen" in reason


@pytest.mark.parametrize(
    "name", ["localhost", "192.168.7.9", "[fd00::7]", "LOCALHOST", "a.localhost"]
)
def test_addresses_and_localhost_may_read_and_change(server: ComfyServer, name: str) -> None:
    headers = under(server, name)
    assert ask(server, "/settings", None, None, **headers).status == 200
    changed = ask(server, "/settings", {"SEEDREAM_STORE_GB": 3}, None, **headers)
    # Newer hosts themselves refuse an Origin that differs from a loopback Host.
    assert changed.status == 200, changed.body
    settings_file(server).unlink()


def test_name_behind_a_proxy_with_tls_is_allowed(server: ComfyServer) -> None:
    page = {"Host": "comfy.example", "Origin": "https://comfy.example"}
    proven = {**page, "X-Forwarded-Proto": "https", "Sec-Fetch-Site": "same-origin"}
    assert ask(server, "/settings", None, None, **proven).status == 200
    for missing in ("X-Forwarded-Proto", "Sec-Fetch-Site"):
        given = {name: value for name, value in proven.items() if name != missing}
        assert ask(server, "/settings", None, None, **given).status == 403


def test_no_browser_names_the_host_of_the_bucket(server: ComfyServer) -> None:
    listed = setting(ask(server, "/settings"), ENDPOINT)
    assert listed["editable"] is False and "credentials" in listed["reason"]["en"]
    answer = ask(server, "/settings", {ENDPOINT: "https://thief.example"})
    status, reason = refusal(answer)
    assert status == 400 and ENDPOINT in reason
    assert not settings_file(server).exists()


def test_no_browser_names_the_proxy_of_a_plain_bucket(server: ComfyServer) -> None:
    file, proxy = settings_file(server), {"SEEDREAM_PROXY": "http://thief.example:8080"}
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    saved: dict[str, Any] = {ENDPOINT: "http://10.0.0.5:9000"}
    file.write_text(json.dumps(saved), "utf-8")
    status, reason = refusal(ask(server, "/settings", proxy))
    assert status == 400 and "SEEDREAM_PROXY" in reason
    assert json.loads(file.read_text("utf-8")) == saved
    file.write_text(json.dumps({ENDPOINT: "https://10.0.0.5:9000"}), "utf-8")
    assert ask(server, "/settings", proxy).status == 200
    file.unlink()
