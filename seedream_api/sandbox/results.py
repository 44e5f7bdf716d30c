"""Result images: their links, and the images, which are drawn on request."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..catalog import PIXELS
from .exchange import Reply, not_found
from .prompt_parsing import MIXED_SIZES
from .renderer import Picture, Renderer
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

    def find_task(self, target: str) -> StoredTask:
        """Return the task that a result link belongs to.

        Raises:
            Refusal: 404 if there is none.
        """
        found = _PATH.fullmatch(urlsplit(target).path)
        task = self._store.get(found.group(1)) if found else None
        if task is None:
            raise not_found()
        return task

    def serve(self, task: StoredTask, target: str) -> Reply:
        """Return the image that a link of ``task`` names.

        Raises:
            Refusal: 404 if the task has no such image.
        """
        found = _PATH.fullmatch(urlsplit(target).path)
        if found is None or found.group(3) != task.extension:
            raise not_found()
        index = int(found.group(2))
        if index >= task.count or index in task.failed_items:
            raise not_found()
        picture = self._describe_picture(task, index)
        return Reply(200, self._renderer.render(picture), f"image/{picture.output_format}")

    def _describe_picture(self, task: StoredTask, index: int) -> Picture:
        ratio = _choose_ratio(task, index)
        return Picture(
            digest=task.digest,
            index=index,
            count=task.count,
            size=PIXELS[task.tier][ratio],
            prompt=task.prompt,
            caption=f"{task.model}   {task.tier}   {ratio}",
            thumbnails=tuple(self._store.read_thumbnail(name) for name in task.thumbnails),
            watermark=task.watermark,
            output_format="png" if task.extension == "png" else "jpeg",
        )


def _choose_ratio(task: StoredTask, index: int) -> str:
    if index == 0 or MIXED_SIZES not in task.prompt:
        return task.ratio
    others = [ratio for ratio in _OTHER_RATIOS if ratio != task.ratio]
    return others[(index - 1) % len(others)]
