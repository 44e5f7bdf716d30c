"""The doctor and the secrets of uploads."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from seedream_api import (
    UploadFailed,
)
from seedream_api.doctor import run_checks
from support.canary import UPLOAD_SECRET as SECRET
from support.fake_service import HOST_KEY, Status, WrongType
from support.upload_kit import (
    EVOLINK,
    evolink_files,
    host_settings,
    pixels,
    png,
    requests_to,
)

# ---- doctor ----


def upload_check(settings: Any) -> Any:
    checks = asyncio.run(run_checks(settings))
    return next(check for check in checks if check.name == "uploads")


def test_doctor_sends_a_small_picture_and_says_how_long_it_lives(
    api_client: Any, way: dict[str, Any]
) -> None:
    check = upload_check(api_client.settings(**way["settings"]))
    life = "72.0 h" if way["name"] == "evolink" else "as long as the host decides"
    assert check.verdict == "ok" and life in check.message and way["name"] in check.message
    [sent] = requests_to(api_client, "POST", way["post"])
    png_of_one_pixel = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
    assert png_of_one_pixel in sent.body and api_client.sent == 0
    api_client.sandbox.faults.push(way["get"], WrongType(), times=9)
    check = upload_check(api_client.settings(**way["settings"]))
    assert check.verdict == "problem" and "not an image" in check.message


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (["198.18.0.7", "198.19.255.1"], "note", "198.18.0.7, 198.19.255.1, invented by a TUN"),
        (["93.184.216.34"], "ok", "api.example.invalid resolves to 93.184.216.34"),
        (["198.18.0.7", "93.184.216.34"], "ok", "resolves to 198.18.0.7, 93.184.216.34"),
        ([], "problem", "api.example.invalid cannot be resolved"),
    ],
)
def test_doctor_reports_addresses_and_tun_proxy(
    api_client: Any, answer: list[str], verdict: str, words: str
) -> None:
    settings = api_client.settings(
        DEEPSPACE_BASE_URL="https://api.example.invalid", DEEPSPACE_API_KEY=""
    )
    checks = asyncio.run(run_checks(settings, resolver=lambda host, port: answer))
    [check] = [check for check in checks if check.name == "names"]
    assert check.verdict == verdict and words in check.message
    assert check.message_zh != check.message


def test_doctor_looks_up_no_name_for_the_sandbox(api_client: Any) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    checks = asyncio.run(run_checks(api_client.settings(), resolver=nobody))
    assert "names" not in {check.name for check in checks}


def test_doctor_shows_upload_secrets_as_set_and_nothing_more(
    api_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = api_client.settings(
        SEEDREAM_UPLOAD_EVOLINK_KEY=SECRET,
        SEEDREAM_UPLOAD_HTTP_HEADERS=f'{{"X-API-Key": "{SECRET}"}}',
        SEEDREAM_UPLOAD_HTTP_FIELDS=f'{{"key": "{SECRET}"}}',
        SEEDREAM_UPLOAD_HTTP_URL=f"https://img.example.com/up?key={SECRET}",
    )
    assert SECRET not in repr(settings)
    checks = {check.name: check for check in asyncio.run(run_checks(settings))}
    assert SECRET not in repr(checks)
    for name in ("EVOLINK_KEY", "HTTP_HEADERS", "HTTP_FIELDS"):
        check = checks[f"SEEDREAM_UPLOAD_{name}"]
        assert (check.message, check.origin) == ("set", "environment")
    assert checks["SEEDREAM_UPLOAD_HTTP_URL"].message == "https://img.example.com/up?***"


# ---- secrets ----


@pytest.mark.parametrize("kind", ["evolink", "imgbb", "chevereto", "lsky"])
@pytest.mark.parametrize("answer", [Status(400, {"message": f"bad key {SECRET}"}),
                                    Status(500, f"no {SECRET}"), None])  # fmt: skip
def test_no_secret_is_ever_shown_or_kept(
    api_client: Any, kind: str, answer: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    if kind == "evolink":
        settings = {**evolink_files(api_client, monkeypatch), "SEEDREAM_UPLOAD_EVOLINK_KEY": SECRET}
        route = "files"
    else:
        settings = {name: value.replace(HOST_KEY, SECRET)
                    for name, value in host_settings(api_client, kind).items()}  # fmt: skip
        route = "host"
    if answer is not None:
        api_client.sandbox.faults.push(route, answer, times=50)
    with pytest.raises(UploadFailed) as caught:
        api_client.generate(pixels(), model=EVOLINK, **settings)
    ran = api_client.inside(
        "generate",
        "--model",
        EVOLINK,
        "--prompt",
        "x",
        "--ref",
        saved(api_client.home.parent),
        "--out",
        api_client.home.parent,
        **settings,
    )
    assert ran.code == 1
    kept = [path.read_bytes() for path in api_client.home.rglob("*") if path.is_file()]
    told = (str(caught.value), repr(caught.value.values), caplog.text, ran.out, ran.err)
    assert kept and SECRET.encode() not in b"".join(kept) and SECRET not in "".join(told)


def saved(folder: Path) -> Path:
    (folder / "a.png").write_bytes(png())
    return folder / "a.png"


def test_uploads_are_written_down_without_the_picture(api_client: Any) -> None:
    api_client.generate(pixels(), model=EVOLINK)
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        [row] = db.execute("SELECT content, way, width, height, media_type FROM uploads").fetchall()
    db.close()
    assert row[0].startswith("sha256:") and row[1:] == ("sandbox", 32, 24, "image/png")
    assert not list((api_client.home / "images" / "partial").rglob("*.part"))


@pytest.mark.parametrize("column", ["notes", "expires_at"])
def test_upload_whose_record_is_damaged_is_made_again(api_client: Any, column: str) -> None:
    api_client.generate(pixels(), model=EVOLINK, seed=1)
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute(f"UPDATE uploads SET {column} = 'none of ours ['")  # noqa: S608
    db.close()
    for seed in (2, 3):
        api_client.generate(pixels(), model=EVOLINK, seed=seed)
    assert len(requests_to(api_client, "POST", "/sandbox/images")) == 2 and api_client.sent == 3
