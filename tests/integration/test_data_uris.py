"""Images inside data URIs."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from seedream_api.downloads import data_uri
from seedream_api.downloads.data_uri import read_data_uri
from seedream_api.errors import (
    LedgerFailed,
    ResultUnavailable,
)
from seedream_api.jobs.load_urls import load_urls
from seedream_api.redaction import redact
from support.download_kit import (
    PNG,
)

# ---- data URIs ----


def test_data_uri_gives_its_bytes() -> None:
    text = base64.b64encode(PNG).decode()
    assert read_data_uri(f"data:image/png;base64,{text}", len(PNG)) == PNG
    assert read_data_uri(f"DATA:IMAGE/JPEG;BASE64,{text}", len(PNG)) == PNG


TEXT = base64.b64encode(PNG).decode()
SPELLED = {"+": "%2B", "/": "%2f", "=": "%3D"}
SMALL_STEP = 8
"""Characters that are decoded at once in some of these tests."""


@pytest.mark.parametrize("step", [SMALL_STEP, 1024 * 1024])
@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/png;charset=utf-8;base64,{TEXT}",
        f"data:image/png;charset=utf-8;name=a.png; base64 ,{TEXT}",
        f"data:application/octet-stream;base64,{TEXT}",
        f"data:text/plain;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"data:image/png;base64,{TEXT.rstrip('=')}",
        f"data:image/png;base64,{TEXT.translate(str.maketrans(SPELLED))}",
        f"data:image/png;base64,{TEXT.replace('+', '-').replace('/', '_')}",
        f"data:image/png;base64,{' '.join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76))}",
        f"data:image/png;base64,{TEXT}#part",
        f"data:image/png,{quote(PNG)}",
    ],
)
def test_data_uri_is_read_in_every_spelling_of_browsers(
    uri: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_uri, "_PIECE_CHARACTERS", step)
    assert read_data_uri(uri, len(PNG)) == PNG


def test_data_uri_of_any_spelling_is_hidden_in_messages() -> None:
    for head in ("image/png", "image/png;charset=utf-8", "", "application/octet-stream"):
        assert redact(f"at data:{head};base64,{TEXT} it failed") == "at data:… it failed"


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("", "download_failed"),
        ("data:,hello", "download_no_image"),
        ("data:image/png;base64", "download_failed"),
        ("data:text/html;base64,PGh0bWw+", "download_no_image"),
        ("data:image/png,%89PNG", "download_no_image"),
        ("data:image/png;base64,@@@@", "download_failed"),
        ("data:image/png;base64,iVBORw0KG", "download_failed"),
        ("data:image/png;base64,iVBO===", "download_failed"),
        ("data:image/png;base64,iVBORw0K%2", "download_failed"),
        ("data:image/png;base64,iVBORw0K猫", "download_failed"),
        ("data:image/png;base64,iVBO Rw0K", "download_no_image"),
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


def test_data_uri_without_disk_space_fails_like_others(api_client: Any, tmp_path: Path) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    folder = tmp_path / "not there"
    [loaded] = api_client.run(lambda session: load_urls([uri], session, folder))
    assert isinstance(loaded.error, LedgerFailed) and loaded.path is None
    assert str(folder) in loaded.error.message("en")
