"""Proxies with a password, HTTP and SOCKS5: the way there is theirs, the verdict is not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from .origin import DIE, Origin
from .paying import Customer
from .programs import free_port, refusing_port, running

HOST = socket.gethostname()
"""A name of this machine that is not "localhost": only a proxy connects to it."""
USER, PASSWORD, WRONG = "artist", "open-sesame-7f3a", "closed-sesame-1b2c"
PROXY_WORDS = ("Proxy Authentication Required", "Unable to connect", "Service Unavailable")
"""What the HTTP proxies say in their status lines, and a message may quote."""
KINDS = ("tinyproxy", "squid", "microsocks")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    """The service over TLS, at this machine's own name."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(serving)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Origin(host=HOST, tls=serving) as started:
        yield started


@contextlib.contextmanager
def proxy(kind: str, folder: Path) -> Iterator[int]:
    """A proxy of this kind that wants ``USER`` and ``PASSWORD``."""
    port = free_port()
    arguments: dict[str, tuple[str | Path, ...]] = {
        "tinyproxy": ("-d", "-c", folder / "tinyproxy.conf"),
        "squid": ("-N", "-n", f"judge{port}", "-f", folder / "squid.conf"),
        "microsocks": ("-i", "127.0.0.1", "-p", str(port), "-u", USER, "-P", PASSWORD),
    }
    (folder / "tinyproxy.conf").write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 20\nAllow 127.0.0.1\n"
        f"BasicAuth {USER} {PASSWORD}\nLogLevel Error\n"
    )
    with tempfile.TemporaryDirectory() as open_folder:
        if kind == "squid":
            _write_squid(folder, Path(open_folder), port)
        with running(kind, *arguments[kind], port=port, folder=folder):
            yield port


def _write_squid(folder: Path, open_folder: Path, port: int) -> None:
    """Started by root, squid and its helper run as another user, who must reach the helper."""
    helper = open_folder / "check.sh"
    helper.write_text(
        "#!/bin/sh\nwhile read -r name word; do\n"
        f'  if [ "$name $word" = "{USER} {PASSWORD}" ]; then echo OK; else echo ERR; fi\ndone\n'
    )
    helper.chmod(0o755)
    open_folder.chmod(0o777)
    (folder / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port}\nvisible_hostname judge\npid_filename none\n"
        f"access_log none\ncache_store_log none\ncache_log {open_folder}/cache.log\n"
        f"cache deny all\ncoredump_dir {open_folder}\nshutdown_lifetime 0 seconds\n"
        f"auth_param basic program /bin/sh {helper}\nauth_param basic realm judge\n"
        "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
        "via off\nnetdb_filename none\npinger_enable off\n"
        # Neither is needed, and both leave shared memory behind when a process is killed.
        "memory_cache_shared off\ncollapsed_forwarding off\n"
    )


def customer_behind(kind: str, port: int, service: Origin, folder: Path, word: str) -> Customer:
    scheme = "socks5h" if kind == "microsocks" else "http"
    setting = f"{scheme}://{USER}:{word}@127.0.0.1:{port}"
    return Customer(f"https://{HOST}:{service.port}", folder / "home", {"SEEDREAM_PROXY": setting})


@pytest.mark.parametrize("kind", KINDS)
def test_right_password_pays_once(
    kind: str, service: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with proxy(kind, tmp_path) as port:
        customer = customer_behind(kind, port, service, tmp_path, PASSWORD)
        outcomes = [customer.pay() for _ in range(2)]
    assert [one.kind for one in outcomes] == ["Result", "Result"] and service.posts == 1
    require_secret(PASSWORD, caplog, tmp_path / "home")


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_password_sends_nothing(
    kind: str, service: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with proxy(kind, tmp_path) as port:
        outcome = customer_behind(kind, port, service, tmp_path, WRONG).pay()
    assert outcome.is_free and outcome.kind == "NotSent" and service.posts == 0
    outcome.require_readable(may_quote=PROXY_WORDS)
    assert WRONG not in str(outcome.error)
    require_secret(WRONG, caplog, tmp_path / "home")


@pytest.mark.parametrize("kind", KINDS)
def test_dead_service_behind_a_proxy_is_not_sent(
    kind: str, service: Origin, tmp_path: Path
) -> None:
    with refusing_port() as dead, proxy(kind, tmp_path) as port:
        customer = customer_behind(kind, port, service, tmp_path, PASSWORD)
        customer.base = f"https://{HOST}:{dead}"
        outcome = customer.pay()
    assert outcome.is_free and outcome.kind == "NotSent" and service.posts == 0
    outcome.require_readable(may_quote=PROXY_WORDS)
    assert PASSWORD not in str(outcome.error)


@pytest.mark.parametrize("kind", KINDS)
def test_dying_service_behind_a_proxy_is_unknown(
    kind: str, service: Origin, tmp_path: Path
) -> None:
    service.answer = lambda number: DIE
    with proxy(kind, tmp_path) as port:
        customer = customer_behind(kind, port, service, tmp_path, PASSWORD)
        outcomes = [customer.pay() for _ in range(2)]
    assert {one.kind for one in outcomes} == {"OutcomeUnknown"} and service.posts == 1
    outcomes[0].require_readable()


def require_secret(word: str, caplog: pytest.LogCaptureFixture, home: Path) -> None:
    """No log line of any level and no file of the data folder contains the password."""
    pair = b64encode(f"{USER}:{word}".encode()).decode()
    for secret in (word, pair):
        assert secret not in caplog.text
        for path in home.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path
