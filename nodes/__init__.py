"""The nodes of the pack: one per module, and this list of them."""

from __future__ import annotations

from comfy_api.latest import io

from .batch import SeedreamBatch
from .evolink import SeedreamEvolink
from .load_url_images import SeedreamLoadURLImages
from .poll_task import SeedreamPollTask
from .preferential import SeedreamPreferential
from .upload_references import SeedreamUploadReferences

NODES: tuple[type[io.ComfyNode], ...] = (
    SeedreamPreferential,
    SeedreamEvolink,
    SeedreamPollTask,
    SeedreamLoadURLImages,
    SeedreamUploadReferences,
    SeedreamBatch,
)
"""In the order of the node menu. Ids, input names and output order never change after a release."""

__all__ = ["NODES"]
