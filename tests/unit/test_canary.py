"""That the search at the end of a run finds the key in every form."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from canary import forms_in, forms_in_descendants, forms_in_files

KEY = "sk-a+canary/with=signs"
HEADER = f"Authorization: Bearer {KEY}"
PLANTED = {
    "plain": HEADER.encode(),
    "quoted": f"?key={quote(KEY, safe='')}&n=1".encode(),
    "url-encoded": "".join(f"%{byte:02X}" for byte in KEY.encode()).encode(),
    "small url-encoded": "".join(f"%{byte:02x}" for byte in KEY.encode()).encode(),
    "reversed header": HEADER[::-1].encode(),
    "hexadecimal": KEY.encode().hex().encode(),
    "utf-16": HEADER.encode("utf-16"),
    **{
        f"base64 after {n} bytes": base64.b64encode(b"x" * n + KEY.encode() + b"yz"[: n % 3])
        for n in range(6)
    },
    **{
        f"base64 for URLs after {n} bytes": base64.urlsafe_b64encode(b"user:"[:n] + KEY.encode())
        for n in range(6)
    },
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_key_is_found(tmp_path: Path, form: str) -> None:
    file = tmp_path / "deep" / "ledger.sqlite"
    file.parent.mkdir()
    file.write_bytes(os.urandom(1000) + PLANTED[form] + os.urandom(1000))
    assert len([*forms_in_files(tmp_path, KEY)]) == 1


def test_what_looks_like_it_is_not_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(HEADER.replace("canary", "canari"))
    (tmp_path / "settings.json").write_text(HEADER)
    assert [*forms_in_files(tmp_path, KEY)] == [] and forms_in(b"Bearer ...", KEY) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows them")
def test_a_key_in_the_environment_of_a_grandchild_is_found() -> None:
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", grandchild],
        env={**os.environ, "THE_KEY": KEY}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout and child.stdin
        assert child.stdout.readline() == b"here\n"
        found = [*forms_in_descendants(os.getpid(), KEY)]
        child.stdin.close()
    assert len(found) == 1


WAITS = "import sys; print('here', flush=True); sys.stdin.read()"
