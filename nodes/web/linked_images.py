"""Reference images of Load Image nodes: known before a run, and so is the stored result."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import folder_paths

from ...seedream_api.service.references import PictureReference
from ..inputs import IMAGE_NAMES

if TYPE_CHECKING:
    from ...seedream_api.service.references import Reference

LOADED = "load_image"
"""How the page names a link from Load Image: ``{"load_image": FILE}`` in place of a link."""
_REMEMBERED = 200
Json = dict[str, Any]
_known: OrderedDict[tuple[str, int, int], tuple[PictureReference, ...]] = OrderedDict()


@dataclass(frozen=True, eq=False)
class _KnownPicture(PictureReference):
    """A picture of which only the identity is kept: its pixels take tens of megabytes."""

    content: str = ""

    def identity(self) -> str:
        return self.content


async def read_linked_images(
    given: Mapping[str, Any],
) -> tuple[dict[str, Any], tuple[Reference, ...]]:
    """Read the images of Load Image nodes that are linked to a generator.

    Returns:
        The other inputs, and the references in their order. An image that cannot be read leaves
        all links as they are: then the inputs are not known before a run.
    """
    names = [f"images.{name}" for name in IMAGE_NAMES if f"images.{name}" in given]
    files = [_file_of(given[name]) for name in names]
    if not names or None in files:
        return dict(given), ()
    try:
        read = await asyncio.to_thread(lambda: [_read(str(file)) for file in files])
    except Exception:  # noqa: BLE001 - Load Image raises anything; the run reports it
        return dict(given), ()
    rest = {name: value for name, value in given.items() if name not in names}
    return rest, tuple(reference for references in read for reference in references)


def _file_of(value: object) -> str | None:
    found: object = cast("Json", value).get(LOADED) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _read(name: str) -> tuple[PictureReference, ...]:
    """Read the frames of an image exactly as Load Image does, once per version of its file."""
    path = Path(folder_paths.get_annotated_filepath(name)).resolve()
    folders = (folder_paths.get_input_directory(), folder_paths.get_output_directory())
    if not any(path.is_relative_to(Path(folder).resolve()) for folder in folders):
        raise PermissionError(name)
    found = path.stat()
    version = (str(path), found.st_mtime_ns, found.st_size)
    if version not in _known:
        _known[version] = tuple(_load(name))
    _known.move_to_end(version)
    while len(_known) > _REMEMBERED:
        _known.popitem(last=False)
    return _known[version]


def _load(name: str) -> list[PictureReference]:
    from nodes import NODE_CLASS_MAPPINGS  # pyright: ignore - ComfyUI's own module

    from ...seedream_api.service.references import pixels_reference
    from ..tensors import to_pixels

    node: Any = NODE_CLASS_MAPPINGS["LoadImage"]()
    frames = to_pixels(node.load_image(name)[0])
    references = [pixels_reference(pixels, name) for pixels in frames]
    return [
        _KnownPicture(name, one.width, one.height, content=one.identity()) for one in references
    ]
