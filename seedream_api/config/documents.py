"""Files of the user that settings name: read once, when the settings are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..messages import text_of

MODELS_FILE = "models.json"
"""Model entries in the data folder, used unless ``SEEDREAM_MODELS`` names another file."""
PRICES_FILE = "prices.json"
"""The price table in the data folder, used unless ``SEEDREAM_PRICES`` names another file."""


@dataclass(frozen=True)
class Document:
    """The text of a file, or why it cannot be read. Equal settings have equal documents."""

    path: Path
    text: str = field(default="", repr=False)
    error: str | None = None


def read_document(path: Path) -> Document:
    """Read a text file in UTF-8; a failure is kept, for the moment in which it is needed."""
    try:
        return Document(path, path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        return Document(path, error=text_of(error))


def read_documents(home: Path, names: Mapping[str, str]) -> Mapping[str, Document]:
    """Read every document that is set, or that lies in the data folder.

    Args:
        names: by the document's default file name: the path that a setting gives, or empty.
    """
    paths = {name: Path(given) if given else home / name for name, given in names.items()}
    return {
        name: read_document(path) for name, path in paths.items() if names[name] or path.is_file()
    }
