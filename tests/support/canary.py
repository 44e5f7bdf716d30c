"""Fail the run if a key of the tests is left anywhere at its end.

``tests/conftest.py`` registers the plugin. It searches every file in the tests' temporary folders,
everything printed or logged, the responses of ComfyUI and of the command line, the requests that
reached the sandbox, and the environments of child processes that the tests did not start; in all
forms in which a key may be sent. A key is allowed in ``settings.json``, where a test has saved it,
and in copies of the pack's own files.
"""

from __future__ import annotations

import base64
import gzip
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from .paths import PACK_ROOT

if TYPE_CHECKING:
    from support.fake_service import LoggedRequest

S3_SECRET = "canary/aws+secret/0123456789abcdefghijkl"
UNSHAPED_KEY = "canary7QmX2vRt9LbZ4wKp"
"""A key that no pattern recognises."""
SECOND_KEY = "sk-second-service-key"
UPLOAD_SECRET = "canary-secret-0123456789"
SECRETS = {
    "the service's key": "sk-sandbox-free",
    "the key of Evolink's files": "sk-evo-sandbox-files",
    "the image host's key": "host-sandbox-key",
    "the bucket's secret": S3_SECRET,
    "the service's other key": UNSHAPED_KEY,
    "the second service's key": SECOND_KEY,
    "another upload secret": UPLOAD_SECRET,
}
ALLOWED_FILES = ("settings.json",)
COMPILED = ".pyc"
HOSTS_WITH_KEYS = ("/imgbb/", "/chevereto/", "/lsky/")
"""Image hosts of the sandbox, whose own manners put a key into forms and headers of other names."""

PIECE_BYTES, OVERLAP_BYTES = 1 << 25, 1 << 10


def forms(secret: str) -> dict[str, bytes]:
    """Return the forms in which a secret may be sent, by name; of two equal ones the first."""
    plain = secret.encode()
    codes = [f"%{byte:02X}" for byte in plain]
    found = {
        "plain": plain,
        "reversed": plain[::-1],
        "quoted": quote(secret, safe="").encode(),
        "quoted, slashes kept": quote_plus(secret, safe="/").encode(),
        "quoted twice": quote(quote(secret, safe=""), safe="").encode(),
        "quoted in full": "".join(codes).encode(),
        "in JSON with slashes escaped": secret.replace("/", "\\/").encode(),
        "hexadecimal": plain.hex().encode(),
        "hexadecimal, capitals": plain.hex().upper().encode(),
        "UTF-16": secret.encode("utf-16-le"),
        "UTF-16, big end first": secret.encode("utf-16-be"),
    }
    for name in ("quoted", "quoted, slashes kept", "quoted twice", "quoted in full"):
        found[f"{name}, small letters"] = _small_codes(found[name])
    for kind, data in (("", plain), (" of the reversed", plain[::-1])):
        for shift in range(3):
            # Within a longer text its first letters depend on where it begins.
            whole = base64.b64encode(b"\0" * shift + data).rstrip(b"=")
            # And the last ones on what follows.
            end = len(whole) - (1 if (shift + len(data)) % 3 else 0)
            inner = whole[(0, 2, 3)[shift] : end]
            name = f"base64{kind}, {shift} bytes in"
            found[name] = inner
            found[f"{name}, for URLs"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    first = {form: name for name, form in reversed(found.items())}
    return {name: form for form, name in first.items()}


def _small_codes(text: bytes) -> bytes:
    """``%2F`` as ``%2f``, the rest as it is."""
    first, *rest = text.split(b"%")
    return b"%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


class Search:
    """Search for secrets, given by name, in every form."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._needles = [
            (f"{name}, {form}", data)
            for name, secret in secrets.items()
            for form, data in forms(secret).items()
        ]

    def in_data(self, data: bytes) -> list[str]:
        """Return the names of the secrets and forms in ``data``."""
        return [name for name, needle in self._needles if data.find(needle) >= 0]

    def in_files(self, folder: Path) -> Iterator[str]:
        """A line for each file below ``folder`` that holds a secret and may not."""
        for path in sorted(folder.rglob("*")):
            if path.name in ALLOWED_FILES or path.is_symlink() or not path.is_file():
                continue
            for place, content in _contents(path):
                if (found := self.in_data(content)) and not _is_our_own(place, content):
                    yield f"{place}: {', '.join(found)}"

    def in_descendants(self, pid: int) -> Iterator[str]:
        """A line for each process that a child of ``pid`` has started and given a secret to."""
        parents = _parents()
        children = {child for child, parent in parents.items() if parent == pid}
        theirs = set(children)
        while more := {child for child, parent in parents.items() if parent in theirs} - theirs:
            theirs |= more
        for process in sorted(theirs - children):
            try:
                environment = Path(f"/proc/{process}/environ").read_bytes()
            except OSError:
                continue  # it has just ended
            if found := self.in_data(environment):
                yield f"environment of process {process}: {', '.join(found)}"


def _parents() -> dict[int, int]:
    """The parent of every process; none where the system does not show them."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it has just ended
    return parents


def _has_children() -> bool:
    """Whether any process of ours may run; asked first, since the question above takes long."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (AttributeError, ChildProcessError):
        return False
    return True


def _contents(path: Path) -> Iterator[tuple[Path, bytes]]:
    """What a file holds, a large one piece by piece; of an archive also what each member does."""
    with path.open("rb") as file:
        end = b""
        while piece := file.read(PIECE_BYTES):
            yield path, end + piece
            end = piece[-OVERLAP_BYTES:]
        file.seek(0)
        is_packed = file.read(2) == b"\x1f\x8b"
    if is_packed:
        yield path.with_suffix(""), _unpacked(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield path / name, archive.read(name)


def _unpacked(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError):
        return b""  # only looks like it


def _is_our_own(place: Path, content: bytes) -> bool:
    """Whether it is a file of the pack's, copied; what Python compiles of one may differ."""
    if place.suffix == COMPILED:
        return True
    return any(_file_at(place.parts[-depth:]) == content for depth in range(1, len(place.parts)))


def _file_at(parts: tuple[str, ...]) -> bytes | None:
    path = PACK_ROOT.joinpath(*parts)
    return path.read_bytes() if path.is_file() else None


class Watch:
    """The pytest plugin: fails the run where a canary is found."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.search = Search(secrets)
        self.found: list[str] = []
        self.is_on = False

    def pytest_sessionstart(self) -> None:
        self.is_on = True

    def look_at(self, where: str, content: str | bytes) -> None:
        """Search the output of a program under test; the end of the run reports what is found.

        Outside a test run, as in a benchmark, this does nothing.
        """
        if not self.is_on:
            return
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        if found := self.search.in_data(data):
            self.found.append(f"{where}: {', '.join(found)}")

    def look_at_requests(self, requests: Iterable[LoggedRequest]) -> None:
        """Search what a service was sent: a key travels in the Authorization header and nowhere
        else."""
        for request in requests:
            if not request.path.startswith(HOSTS_WITH_KEYS):
                headers = {**request.headers, "authorization": ""}
                self.look_at(f"{request.method} {request.path}, headers", repr(headers))
                self.look_at(f"{request.method} {request.path}, path", request.path)
                self.look_at(f"{request.method} {request.path}, body", request.body)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for title, text in report.sections:
            self.look_at(f"{report.nodeid}, {title}", text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if _has_children():
            lines = self.search.in_descendants(os.getpid())
            self.found += (f"{item.nodeid}, {line}" for line in lines)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        factory = getattr(session.config, "_tmp_path_factory", None)
        if factory is not None and factory._basetemp is not None:
            self.found += self.search.in_files(factory.getbasetemp())
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.found:
            terminalreporter.section("a key was found", red=True)
            for line in self.found:
                terminalreporter.line(line)


WATCH = Watch(SECRETS)
