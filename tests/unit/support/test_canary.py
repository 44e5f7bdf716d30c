"""That the search at the end of a run finds a key in every form and in every place."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from support import canary
from support.canary import Search

KEY = "sk-a+canary/with=signs"
HEADER = f"Authorization: Bearer {KEY}"
QUOTED = quote(KEY, safe="")
PLANTED = {
    "header": HEADER.encode(),
    "another header": f"X-API-Key: {KEY}\r\n".encode(),
    "reversed header": HEADER[::-1].encode(),
    "header of Basic": b"Authorization: Basic " + base64.b64encode(f"user:{KEY}".encode()),
    "reversed in base64": base64.b64encode(HEADER[::-1].encode()),
    "quoted": f"?key={QUOTED}&n=1".encode(),
    "quoted by a form": f"key={quote_plus(KEY)}&n=1".encode(),
    "quoted with slashes kept": f"/a/{quote(KEY)}".encode(),
    "quoted in small letters": QUOTED.replace("%2F", "%2f").replace("%2B", "%2b")
    .replace("%3D", "%3d").encode(),
    "quoted twice": quote(QUOTED, safe="").encode(),
    "url-encoded": "".join(f"%{byte:02X}" for byte in KEY.encode()).encode(),
    "small url-encoded": "".join(f"%{byte:02x}" for byte in KEY.encode()).encode(),
    "JSON": json.dumps({"key": KEY}).encode(),
    "JSON of PHP": json.dumps({"key": KEY}).replace("/", "\\/").encode(),
    "hexadecimal": KEY.encode().hex().encode(),
    "hexadecimal in capitals": KEY.encode().hex().upper().encode(),
    "UTF-16": HEADER.encode("utf-16-le"),
    "UTF-16, big end first": HEADER.encode("utf-16-be"),
    **{
        f"base64 after {n} bytes": base64.b64encode(b"x" * n + KEY.encode() + b"yz"[: n % 3])
        for n in range(6)
    },
    **{
        f"base64 for URLs after {n} bytes": base64.urlsafe_b64encode(b"user:"[:n] + KEY.encode())
        for n in range(6)
    },
}  # fmt: skip
search = Search({"a key": KEY})


@pytest.mark.parametrize("form", PLANTED)
def test_planted_key_is_found(tmp_path: Path, form: str) -> None:
    file = tmp_path / "deep" / "ledger.sqlite"
    file.parent.mkdir()
    file.write_bytes(os.urandom(1000) + PLANTED[form] + os.urandom(1000))
    assert len([*search.in_files(tmp_path)]) == 1


@pytest.mark.parametrize("name", canary.SECRETS)
def test_every_key_of_the_tests_is_watched_in_every_form(name: str) -> None:
    secret = canary.SECRETS[name]
    for form, data in canary.forms(secret).items():
        assert f"{name}, {form}" in canary.WATCH.search.in_data(b"x" + data + b"y"), form


def test_keys_that_the_sandbox_knows_are_among_them() -> None:
    from seedream_api.sandbox import SANDBOX_KEY
    from support.fake_service import FILES_KEY, HOST_KEY

    assert {SANDBOX_KEY, FILES_KEY, HOST_KEY} < set(canary.SECRETS.values())


def test_what_looks_like_it_is_not_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(HEADER.replace("canary", "canari"))
    (tmp_path / "settings.json").write_text(HEADER)
    assert [*search.in_files(tmp_path)] == [] and search.in_data(b"Bearer ...") == []


def test_key_across_two_chunks_of_a_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "PIECE_BYTES", 2000)
    for before in (1990, 3999, 4001):
        (tmp_path / "large").write_bytes(b"x" * before + KEY.encode() + b"x" * 3000)
        assert len({*search.in_files(tmp_path)}) == 1


def test_key_in_an_archive_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/report.json", HEADER * 100)
    (tmp_path / "a.gz").write_bytes(gzip.compress(HEADER.encode() * 100))
    found = [*search.in_files(tmp_path)]
    assert len(found) == 2 and "report.json" in found[1]


def test_only_true_copies_of_the_packs_files_may_hold_a_key(tmp_path: Path) -> None:
    source = canary.PACK_ROOT / "seedream_api" / "config" / "settings.py"
    copy = tmp_path / "pack" / "seedream_api" / "config" / "settings.py"
    copy.parent.mkdir(parents=True)
    shutil.copy(source, copy)
    watched = canary.WATCH.search
    assert watched.in_data(copy.read_bytes()) and [*watched.in_files(tmp_path)] == []
    copy.write_bytes(copy.read_bytes() + b"\n")
    assert len([*watched.in_files(tmp_path)]) == 1
    copy.unlink()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows them")
def test_key_in_the_environment_of_a_grandchild_is_found() -> None:
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", grandchild],
        env={**os.environ, "THE_KEY": KEY}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout and child.stdin
        assert child.stdout.readline() == b"here\n"
        found = [*search.in_descendants(os.getpid())]
        child.stdin.close()
    assert len(found) == 1


WAITS = "import sys; print('here', flush=True); sys.stdin.read()"

# ---- a whole run ----

CONFTEST = f"""
from support import canary

canary.WATCH.search = canary.Search({{"a key": {KEY!r}}})


def pytest_configure(config):
    config.pluginmanager.register(canary.WATCH)
"""
PLACES = """
import logging, os, sqlite3, sys, types
from support import canary

def test_file(tmp_path):
    (tmp_path / "a.txt").write_text(KEY)

def test_database(tmp_path):
    database = sqlite3.connect(tmp_path / "ledger.sqlite")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE a (b)")
    database.execute("INSERT INTO a VALUES (?)", (KEY,))
    database.commit()
    database.close()

def test_output():
    print(KEY)

def test_errors():
    print(KEY, file=sys.stderr)

def test_output_of_a_child():
    os.system("echo " + KEY)

def test_log():
    logging.getLogger("seedream").debug("with %s", KEY)

def test_traceback_in_a_log():
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("httpcore").debug("told", exc_info=True)

def test_response():
    canary.WATCH.look_at("test_response: GET /settings", KEY.encode())

def test_request():
    headers = {"x-key": KEY, "authorization": KEY}
    request = types.SimpleNamespace(method="test_request:", path="/v1", headers=headers, body=b"")
    canary.WATCH.look_at_requests([request])
"""
NOTHING = "def test_it(tmp_path): print('a', tmp_path)"


def ran(folder: Path, tests: str) -> tuple[int, str]:
    """Exit code and output of a run of these tests, which all pass."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\nlog_level = DEBUG\n")
    (folder / "test_it.py").write_text(f"KEY = {KEY!r}\n{tests}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", "temporary"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(Path(canary.__file__).parents[1])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert f"{tests.count('def test')} passed" in done.stdout, done.stdout + done.stderr
    return done.returncode, done.stdout.partition("a key was found")[2]


def test_run_that_leaves_a_key_anywhere_fails_and_says_where(tmp_path: Path) -> None:
    code, found = ran(tmp_path, PLACES)
    assert code == 1
    for place in re.findall(r"def (test_\w+)", PLACES):
        assert re.search(rf"\b{place}(0|,|:| )", found), (place, found)


def test_run_that_leaves_none_passes(tmp_path: Path) -> None:
    assert ran(tmp_path, NOTHING) == (0, "")
