"""What ComfyUI loads: the extension, its entry point, and the folder of its web files."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import ComfyExtension, io

from .nodes import NODES, receipts
from .nodes.host import background, encodable, installed, recovery
from .nodes.web import routes

_FOLDER = Path(__file__).parent
if installed.is_second_copy(_FOLDER):
    raise installed.second_copy_error(_FOLDER)

WEB_DIRECTORY = "./web"


class SeedreamExtension(ComfyExtension):
    """The nodes of this pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return list(NODES)


async def comfy_entrypoint() -> ComfyExtension:
    encodable.filter_logs()
    routes.register()
    receipts.register()
    background.handle_end_signals()
    installed.mark_loaded(_FOLDER)
    recovery.start()
    return SeedreamExtension()


__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
