"""What ComfyUI loads: the extension, its entry point, and the folder of its web files."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .nodes import NODES, background, routes

WEB_DIRECTORY = "./web"


class SeedreamExtension(ComfyExtension):
    """The nodes of this pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return list(NODES)


async def comfy_entrypoint() -> ComfyExtension:
    routes.register()
    background.end_by_signal_as_by_interrupt()
    return SeedreamExtension()


__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
