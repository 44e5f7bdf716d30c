"""Result images: their links, and the images, which are drawn on request."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..catalog import compute_pixels
from .exchange import Reply, not_found
from .prompt_parsing import MIXED_SIZES
from .renderer import Renderer
from .tasks import StoredTask, TaskStore

PREFIX = "/results/"

_PATH = re.compile(r"/results/((?:task|pic)-[0-9a-f]{12})/(\d{1,2})\.(jpe?g|png)")
_OTHER_RATIOS = ("3:2", "2:3", "1:1", "16:9")


class Results:
    """Links to result images, and the images."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store
        self._renderer = Renderer()

    def link(self, task: StoredTask, index: int, address: str) -> str:
        """Return the URL of one image below ``address``."""
        return f"{address}{PREFIX}{task.id}/{index}.{task.extension}"

    def find(self, target: str) -> tuple[StoredTask, int]:
        """Return the task and the index of the image that a result link names.

        Raises:
            Refusal: 404 if there is no such image.
        """
        found = _PATH.fullmatch(urlsplit(target).path)
        task = self._store.get(found.group(1)) if found else None
        if found is None or task is None or found.group(3) != task.extension:
            raise not_found()
        index = int(found.group(2))
        if index >= task.count or index in task.failed_items:
            raise not_found()
        return task, index

    def serve(self, target: str, task: StoredTask, index: int) -> Reply:
        """Return an image; ``target`` is the link to it."""
        ratio = _choose_ratio(task, index)
        data = self._renderer.render(task, index, ratio, compute_pixels(task.tier, ratio))
        return Reply(200, data, "image/png" if task.extension == "png" else "image/jpeg")


def _choose_ratio(task: StoredTask, index: int) -> str:
    if index == 0 or MIXED_SIZES not in task.prompt:
        return task.ratio
    others = [ratio for ratio in _OTHER_RATIOS if ratio != task.ratio]
    return others[(index - 1) % len(others)]
