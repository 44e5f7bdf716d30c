"""A ComfyUI server with one frontend, as on a first visit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from .browsers import frontend_folder, frontend_requirements
from .comfy_fixture import ComfyFixture, open_comfy
from .comfy_server import ComfyServer

FRONTENDS = frontend_requirements()
OLDEST, NEWEST = FRONTENDS[0], FRONTENDS[-1]
VERSIONS = [requirement.partition("==")[2] for requirement in FRONTENDS]
ON_NEWEST = pytest.mark.parametrize("site", [NEWEST], indirect=True, ids=VERSIONS[-1:])
"""For what the pack itself shows, which does not depend on the frontend."""
RETURNING = {
    "Comfy.TutorialCompleted": True,  # else the template browser opens automatically
    "Comfy.Workflow.Persist": False,  # else a new page restores the last one's graph
}
"""ComfyUI's settings after a first visit."""


@dataclass(frozen=True)
class Site:
    """A server with one frontend, and the fixture around it: the sandbox is in this process."""

    frontend: str
    comfy: ComfyFixture

    @property
    def url(self) -> str:
        return self.comfy.server.url

    @property
    def _profile(self) -> Path:
        """Return the file of ComfyUI's settings of its user."""
        return self.comfy.server.base / "user" / "default" / "comfy.settings.json"

    def begin(self, **settings: Any) -> None:
        """Start as on a first visit, with these settings of ComfyUI; the store stays."""
        self.comfy.reset()
        self._profile.parent.mkdir(parents=True, exist_ok=True)
        self._profile.write_text(json.dumps(settings), "utf-8")

    def sign_in(self, key: str | None = None) -> None:
        """Save the sandbox in this process as the service, as the settings panel does.

        Args:
            key: of an account there; the sandbox's own where none is given.
        """
        from seedream_api.sandbox import SANDBOX_KEY

        address = self.comfy.sandbox.url
        values = {"DEEPSPACE_BASE_URL": address, "DEEPSPACE_API_KEY": key or SANDBOX_KEY}
        self.comfy.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.comfy.home / "settings.json"
        file.write_text(json.dumps({**values, "key_address": address}), "utf-8")


@contextmanager
def open_site(
    requirement: str, folder: Path, fixed: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Start a server with this frontend, one of ``FRONTENDS`` or ``MIDDLE_FRONTEND``.

    Args:
        fixed: settings in the server's environment.
    """
    static = frontend_folder(requirement)
    if not (static / "index.html").is_file():
        raise FileNotFoundError(f"no {requirement} in {static}; `python dev.py test` fetches it")

    def boot(packs: dict[str, Path], environment: object) -> ComfyServer:
        # Nothing of the fixture's environment: what there is was set in the browser.
        base = folder / "comfyui"
        return ComfyServer(base, environment=fixed, frontend=static, packs=packs).start()

    with open_comfy(folder, boot) as comfy:
        home = comfy.server.base / "user" / "__seedream"
        yield Site(static.name, replace(comfy, home=home))
