"""Images inside data URIs."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from seedream_api.downloads import read_data_uri
from seedream_api.errors import (
    LedgerFailed,
    ResultUnavailable,
)
from seedream_api.loading import load_urls

from .download_kit import (
    PNG,
)

# ---- data URIs ----


def test_data_uri_gives_its_bytes() -> None:
    text = base64.b64encode(PNG).decode()
    assert read_data_uri(f"data:image/png;base64,{text}", len(PNG)) == PNG
    assert read_data_uri(f"DATA:IMAGE/JPEG;BASE64,{text}", len(PNG)) == PNG


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("", "download_failed"),
        ("data:,hello", "download_failed"),
        ("data:text/html;base64,PGh0bWw+", "download_failed"),
        ("data:image/png,%89PNG", "download_failed"),
        ("data:image/png;base64,@@@@", "download_failed"),
        ("data:image/png;base64,iVBORw0KGgo", "download_failed"),
        ("data:image/png;base64,iVBO Rw0K", "download_failed"),
        ("data:image/png;base64,", "download_no_image"),
        ("data:image/svg+xml;base64,PHN2Zy8+", "download_no_image"),
        ("data:image/png;base64," + "A" * 4000, "download_too_large"),
        ("https://example.com/a.png", "download_failed"),
    ],
)
def test_data_uri_that_holds_no_bounded_image_is_refused(uri: str, key: str) -> None:
    with pytest.raises(ResultUnavailable) as caught:
        read_data_uri(uri, 2000)
    assert caught.value.key == key and caught.value.values["given"] == "data:…"


def test_a_data_uri_for_which_there_is_no_room_is_told_like_any_other(
    customer: Any, tmp_path: Path
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    folder = tmp_path / "not there"
    [loaded] = customer.run(lambda session: load_urls([uri], session, folder))
    assert isinstance(loaded.error, LedgerFailed) and loaded.path is None
    assert str(folder) in loaded.error.message("en")
