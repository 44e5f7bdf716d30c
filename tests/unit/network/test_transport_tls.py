"""TLS: whom the client trusts, and what a failure inside it means."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from seedream_api.errors import ConfigurationError, NotSent, OutcomeUnknown, ReadFailed
from seedream_api.network.proxies import CERTIFICATE_VARIABLES, load_certificates
from seedream_api.network.transport import Transport
from support.transport_calls import Serve, post, run, talkative

SERVICE = "https://service.example.com/v1/images/generations"


def secure(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    talk: Callable[[Any], None],
    *names: str,
    variable: str = "SSL_CERT_FILE",
) -> Any:
    """A server with a certificate of an authority that the environment names."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("service.example.com", "127.0.0.1"))).configure_cert(context)
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    if variable:
        monkeypatch.setenv(variable, str(bundle))

    def talk_inside(caller: Any) -> None:
        caller.start_tls(context)
        talk(caller)

    return serve(talk_inside)


@pytest.mark.parametrize("variable", CERTIFICATE_VARIABLES)
def test_environments_authority_is_trusted(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    server = secure(serve, monkeypatch, tmp_path, talkative, variable=variable)
    url = server.url(scheme="https")
    assert run(lambda client: post(client, url)).json() == {"id": "task-1"}


def test_key_log_that_cannot_be_opened_is_ignored(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    server = secure(serve, monkeypatch, tmp_path, talkative)
    url = server.url(scheme="https")
    assert run(lambda client: post(client, url)).status == 200
    monkeypatch.delenv("SSL_CERT_FILE")
    assert run(lambda client: post(client, serve(talkative).url())).status == 200


def test_named_bundle_needs_no_strict_x509(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    context = load_certificates({"SSL_CERT_FILE": str(bundle)})
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    usual, ours = ssl.create_default_context(), load_certificates({})
    assert ours.verify_flags == usual.verify_flags and ours.options == usual.options


@pytest.mark.parametrize(
    ("names", "variable"), [((), ""), (("other.example.com",), "SSL_CERT_FILE")]
)
def test_certificate_that_is_not_trusted_means_not_sent(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    names: tuple[str, ...],
    variable: str,
) -> None:
    server = secure(serve, monkeypatch, tmp_path, talkative, *names, variable=variable)
    seen: list[str] = []
    with pytest.raises(NotSent, match=r"(?i)certificate"):
        run(lambda client: post(client, server.url(scheme="https"), seen))
    assert seen == [] and server.read == b""


def test_what_breaks_inside_tls_after_the_first_byte_is_unknown(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def garble(caller: Any) -> None:
        caller.request()
        with socket.socket(fileno=caller.socket.detach()) as raw:
            raw.sendall(b"HTTP/1.1 200 OK\r\n\r\nnot inside TLS any more")

    server = secure(serve, monkeypatch, tmp_path, garble)
    with pytest.raises(OutcomeUnknown):
        run(lambda client: post(client, server.url(scheme="https")))
    with pytest.raises(ReadFailed):
        run(lambda client: client.ask(server.url(scheme="https")))

    async def stream(client: Transport) -> None:
        async with client.open(server.url(scheme="https"), headers={}, read_timeout_s=5.0):
            pass

    with pytest.raises(ReadFailed):
        run(stream)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_unreadable_bundle_is_named_before_sending(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    server = serve(talkative)
    with pytest.raises(ConfigurationError) as caught:
        run(lambda client: post(client, server.url()))
    assert caught.value.key == "bad_certificates" and str(bundle) in str(caught.value)
    assert server.callers == []


def test_system_store_and_certifi_are_trusted_by_default() -> None:
    context = load_certificates({})
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert len(context.get_ca_certs()) > 50


def test_folder_of_certificates_is_taken_from_any_variable(tmp_path: Path) -> None:
    for variable in (*CERTIFICATE_VARIABLES, "SSL_CERT_DIR"):
        context = load_certificates({variable: str(tmp_path)})
        assert context.verify_mode is ssl.CERT_REQUIRED and context.get_ca_certs() == []


# ---- through a proxy ----


def tunnel_to(target_port: int) -> Callable[[Any], None]:
    """A proxy that leads every CONNECT to one port of this machine."""

    def talk(caller: Any) -> None:
        caller.request()
        caller.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", target_port)) as onward:

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := onward.recv(65536):
                        caller.socket.sendall(data)

            returning = threading.Thread(target=back, daemon=True)
            returning.start()
            with contextlib.suppress(OSError):
                while data := caller.socket.recv(65536):
                    onward.sendall(data)
                onward.shutdown(socket.SHUT_WR)
            returning.join(5.0)

    return talk


def test_moment_comes_after_the_tunnel_and_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = secure(serve, monkeypatch, tmp_path, talkative)
    proxy = serve(tunnel_to(service.port))
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    seen: list[str] = []
    assert run(lambda client: post(client, SERVICE, seen)).status == 200
    assert seen == ["moment"] and len(proxy.callers) == 1 and len(service.callers) == 1
    assert service.read.startswith(b"POST ") and b"POST" not in proxy.read
