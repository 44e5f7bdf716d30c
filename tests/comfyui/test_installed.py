"""The pack in two folders of one ComfyUI."""

from __future__ import annotations

from collections.abc import Callable

from support import workflows
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT


def test_second_copy_is_left_out_and_named(boot_comfyui: Callable[..., ComfyServer]) -> None:
    server = boot_comfyui(
        environment={"DEEPSPACE_BASE_URL": "sandbox"},
        packs={"one-copy": PACK_ROOT, "other-copy": PACK_ROOT},
    )
    said = [line for line in server.log.splitlines() if "installed twice" in line]
    assert said, server.log
    assert all("one-copy" in line and "other-copy" in line for line in said)
    assert server.log.count("(IMPORT FAILED)") == 1
    scripts = server.request("GET", "/extensions").json()
    folders = {path.split("/")[2] for path in scripts if "-copy/" in path}
    assert len(folders) == 1, "one copy of the panel"
    assert (
        server.run({"1": workflows.evolink("a prompt"), "2": workflows.save("1")}).status
        == "success"
    )
    server.stop()
