"""A real Go server refuses large requests before it has read them: no outcome may be unknown.

    python tools/go_server.py [--rounds 3] [--megabytes 1 5 20]

Needs Go (``apt-get install golang-go``). Builds ``early_responses.go`` and sends requests of the
Preferential family with inline reference images, over plain TCP and over TLS. Prints the POSTs and
classes of error; ends with 1 unless every outcome is a refusal that is free.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import trustme

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from intermediaries.paying import Customer, Outcome, noise  # noqa: E402

REFUSALS = {401: "AuthenticationFailed", 413: "ApiRefused", 429: "RateLimited"}
ANSWERS = ("early", "limited")
REFERENCE_BYTES, LARGEST_REFERENCE = 4 / 3 * 3, 3.5
"""Bytes of base64 per pixel of a reference, and the most megabytes of base64 in one of them."""


def build(folder: Path) -> Path:
    """The server's program."""
    if shutil.which("go") is None:
        raise SystemExit("Go is not installed (apt-get install golang-go)")
    program = folder / "early_responses"
    source = Path(__file__).with_name("early_responses.go")
    environ = {**os.environ, "GOCACHE": str(folder / "cache"), "GOFLAGS": "", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", program, source], check=True, env=environ)
    return program


class Certificate:
    """A certificate for loopback of an authority that only this program trusts."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        self.chain, self.key, self.bundle = (folder / f"{n}.pem" for n in ("chain", "key", "ca"))
        for one in issued.cert_chain_pems:
            one.write_to_path(self.chain, append=True)
        issued.private_key_pem.write_to_path(self.key)
        authority.cert_pem.write_to_path(self.bundle)
        self.trust = ssl.create_default_context(cafile=str(self.bundle))


class GoServer:
    """A started server."""

    def __init__(self, base: str, trust: ssl.SSLContext) -> None:
        self.base = base
        self._trust = trust

    def posts(self) -> int:
        context = self._trust if self.base.startswith("https:") else None
        with urllib.request.urlopen(f"{self.base}/posts", context=context) as said:
            return int(said.read())


@contextlib.contextmanager
def serving(program: Path, how: str, status: int, tls: Certificate | None) -> Iterator[str]:
    """Yield the address of a server that responds with ``status``."""
    more = [] if tls is None else [str(tls.chain), str(tls.key)]
    command = [str(program), how, str(status), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
        finally:
            process.kill()


def references(folder: Path, megabytes: int) -> tuple[Path, ...]:
    """Images whose base64 comes to about ``megabytes``."""
    count = -int(-megabytes // LARGEST_REFERENCE)
    side = int((megabytes * 1e6 / count / REFERENCE_BYTES) ** 0.5)
    return tuple(noise(folder / f"{megabytes}-{n}.png", side, n) for n in range(count))


def try_server(server: GoServer, status: int, sent: tuple[Path, ...], rounds: int) -> list[Outcome]:
    """Send one request ``rounds`` times over, print what came, and return what is wrong."""
    with tempfile.TemporaryDirectory() as home:
        before = server.posts()
        customer = Customer(server.base, Path(home), references=sent)
        outcomes = [customer.pay() for _ in range(rounds)]
        posts = server.posts() - before
    bad = [one for one in outcomes if one.kind != REFUSALS[status] or not one.is_free]
    kinds = dict(Counter(one.kind for one in outcomes))
    print(f"{'WRONG' if bad else 'ok':6}{posts:4} POSTs  {kinds}", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 2, 5, 10, 20])
    arguments = parser.parse_args()
    wrong, begun = 0, time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        program, certificate = build(folder), Certificate(folder)
        os.environ["SSL_CERT_FILE"] = str(certificate.bundle)
        sent = {size: references(folder, size) for size in arguments.megabytes}
        for tls, how, status in itertools.product((None, certificate), ANSWERS, REFUSALS):
            with serving(program, how, status, tls) as base:
                server = GoServer(base, certificate.trust)
                for size, images in sent.items():
                    print(f"{base[:5]:6} {how:8}{status} {size:3} MB  ", end="")
                    wrong += len(try_server(server, status, images, arguments.rounds))
    print(f"{wrong} wrong outcomes, {time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
