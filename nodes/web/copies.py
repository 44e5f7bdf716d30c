"""Copy stored images into ComfyUI's own folders, under names that hold their content's hash."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

from ...seedream_api.errors import InvalidRequest
from . import panel

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session

FOLDER = "seedream"
_HASH_LENGTH = 12
"""Letters of the hash in a name: a file with the same name has the same content."""


async def save_images(session: Session, row_id: int) -> dict[str, Any]:
    """Copy all stored images of a job into the output folder; those already there stay.

    Raises:
        InvalidRequest: there is no such job, none of its images is stored, or the folder cannot be
            written.
    """
    found = await panel.find_job(session, row_id)
    day = datetime.fromtimestamp(found.row.created_at).strftime("%Y-%m-%d")
    names: list[str] = []
    for image in found.images:
        if not image.is_stored:
            continue
        file, _, sha256 = await panel.find_image(session, row_id, image.position)
        name = f"{day}_{row_id}_{image.position + 1}_{sha256[:_HASH_LENGTH]}{file.suffix}"
        names.append(await _copy(file, folder_paths.get_output_directory(), name))
    if not names:
        raise InvalidRequest("image_not_stored", given=row_id, position=0)
    return {"files": names}


async def copy_to_input(session: Session, row_id: int, position: int) -> dict[str, Any]:
    """Copy a stored image into the input folder, for Load Image.

    Raises:
        InvalidRequest: there is no such image, or the folder cannot be written.
    """
    file, _, sha256 = await panel.find_image(session, row_id, position)
    return {"file": await copy_for_load_image(file, sha256)}


async def copy_for_load_image(file: Path, sha256: str) -> str:
    """Copy a file into the input folder unless it is there; return its name for Load Image.

    Raises:
        InvalidRequest: the folder cannot be written.
    """
    name = f"{sha256[:_HASH_LENGTH]}{file.suffix}"
    return await _copy(file, folder_paths.get_input_directory(), name)


async def _copy(file: Path, folder: str, name: str) -> str:
    try:
        await asyncio.to_thread(_copy_once, file, Path(folder) / FOLDER / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidRequest("copy_failed", folder=folder, reason=reason) from None
    return f"{FOLDER}/{name}"


def _copy_once(source: Path, target: Path) -> None:
    """Copy by way of another name, so that a half-written file never has the final one."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
