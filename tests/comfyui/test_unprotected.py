"""A ComfyUI without protected folders: no secret is stored on disk, the environment serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import workflows
from support.comfy_launch import PACK_FOLDER
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal, setting
from support.paths import PACK_ROOT

SECRET = "sk-unprotected-51be"
OLD_HOST = """
import folder_paths

del folder_paths.get_system_user_directory  # as ComfyUI was before it had such folders
NODE_CLASS_MAPPINGS = {}
"""

FROM_OUTSIDE = "SEEDREAM_UPLOAD_EVOLINK_KEY"
SECRETS = {
    "DEEPSPACE_API_KEY": SECRET,
    "SEEDREAM_UPLOAD_HTTP_HEADERS": f'{{"Authorization": "{SECRET}"}}',
    "SEEDREAM_UPLOAD_HTTP_FIELDS": f'{{"key": "{SECRET}"}}',
}
PLACES = {
    "SEEDREAM_PROXY": f"http://me:{SECRET}@127.0.0.1:7890",
    "SEEDREAM_UPLOAD_HTTP_URL": f"https://pictures.example/up?key={SECRET}",
}
"""Settings that hold a secret only when such a part is in them."""


def packs(folder: Path) -> dict[str, Path]:
    """This pack, and one that takes protected folders away from ComfyUI."""
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text(OLD_HOST, "utf-8")
    return {PACK_FOLDER: PACK_ROOT, "Old-Host": folder}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform's folder for the data of this user."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def unprotected(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory, data: Path
) -> ComfyServer:
    places = dict.fromkeys(("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"), str(data))
    old = packs(tmp_path_factory.mktemp("old"))
    return boot_comfyui(environment={**places, FROM_OUTSIDE: SECRET}, packs=old)


def holding(*folders: Path) -> list[Path]:
    files = [file for folder in folders for file in folder.rglob("*")]
    own = [file for file in files if file.is_file() and "custom_nodes" not in file.parts]
    return [file for file in own if SECRET.encode() in file.read_bytes()]


def test_no_secret_is_taken_from_a_browser(unprotected: ComfyServer, data: Path) -> None:
    listed = ask(unprotected, "/settings")
    assert str(data) in listed.json()["home"]
    for name, value in SECRETS.items():
        row = setting(listed, name)
        assert (row["editable"], row["is_set"]) == (False, False)
        assert "no protected folder" in row["reason"]["en"] and "没有受保护" in row["reason"]["zh"]
        status, reason = refusal(ask(unprotected, "/settings", {name: value}))
        assert status == 400 and f"Set {name} in the environment" in reason
    for name, value in PLACES.items():
        assert setting(listed, name)["editable"] is True
        assert "no protected folder" in refusal(ask(unprotected, "/settings", {name: value}))[1]
    assert holding(unprotected.base, data) == []


def test_settings_without_secrets_are_saved_and_nodes_work(
    unprotected: ComfyServer, data: Path, prompt: str
) -> None:
    plain = {"SEEDREAM_PROXY": "http://127.0.0.1:7890", "DEEPSPACE_BASE_URL": "sandbox"}
    saved = ask(unprotected, "/settings", plain)
    assert setting(saved, "SEEDREAM_PROXY")["value"] == "http://127.0.0.1:7890"
    outcome = unprotected.run({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    assert outcome.status == "success"
    assert list(data.rglob("settings.json")) and not list(unprotected.base.rglob("settings.json"))


def test_environment_serves(unprotected: ComfyServer) -> None:
    key = setting(ask(unprotected, "/settings"), FROM_OUTSIDE)
    assert (key["is_set"], key["origin"]) == (True, "environment")


def test_folder_that_was_named_keeps_a_key(
    boot_comfyui: Callable[..., ComfyServer], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    named = boot_comfyui(environment={"SEEDREAM_HOME": str(home)}, packs=packs(tmp_path / "old"))
    key = setting(ask(named, "/settings", {"DEEPSPACE_API_KEY": SECRET}), "DEEPSPACE_API_KEY")
    assert (key["is_set"], key["origin"]) == (True, "settings file")
    assert holding(named.base, tmp_path) == [home / "settings.json"]
    named.stop()
