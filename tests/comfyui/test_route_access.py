"""Who may read and change what, through a real server."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from support import workflows
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, settings_file

KEY = "sk-route-4f9c1e77"
"""The server must not return any part of it."""


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
def test_change_from_elsewhere_is_refused(
    fresh: ComfyServer, path: str, origin: str | None, headers: dict[str, str]
) -> None:
    answer = ask(fresh, path, {"SEEDREAM_STORE_GB": 3}, origin, **headers)
    # ComfyUI itself refuses some of them, without a word.
    assert answer.status == 403
    assert not settings_file(fresh).exists()


def test_reading_from_another_page_is_refused(fresh: ComfyServer) -> None:
    for path in ("/settings", "/tasks", "/tasks/1/images/0"):
        theirs = ask(fresh, path, None, None, **{"Sec-Fetch-Site": "cross-site"})
        assert theirs.status == 403  # newer hosts refuse it without a message
    assert ask(fresh, "/settings", None, None).status == 200


def test_body_must_be_json_an_object_and_small(fresh: ComfyServer) -> None:
    big = {"SEEDREAM_ALLOW_HOSTS": "x" * 70_000}
    assert refusal(ask(fresh, "/settings", big))[0] == 413
    assert refusal(ask(fresh, "/settings", ["SEEDREAM_REUSE"]))[0] == 400
    text = {"Content-Type": "text/plain"}
    assert refusal(ask(fresh, "/settings", {"SEEDREAM_REUSE": "off"}, **text))[0] == 400
    assert not settings_file(fresh).exists()


def test_path_leads_to_no_file(fresh: ComfyServer) -> None:
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
