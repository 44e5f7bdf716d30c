"""A refusal that comes while a large body is being sent is a refusal, never an unknown outcome."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import trustme

from .go_server import GoServer
from .origin import response
from .paying import Customer, noise

REFUSALS = {
    401: ("AuthenticationFailed", ()),
    413: ("ApiRefused", ()),
    # With a hint of this length, a bounded number of tries ends soon.
    429: ("RateLimited", ("Retry-After: 70",)),
}
SIZES = {1: (520, 1), 5: (1_100, 1), 10: (1_100, 2), 20: (1_100, 4)}
"""Megabytes of the body: the side of its references, and how many there are."""


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("megabytes", SIZES)
def test_early_refusal_of_a_large_body_is_free(status: int, megabytes: int, tmp_path: Path) -> None:
    kind, headers = REFUSALS[status]
    body = json.dumps({"error": {"message": "said before the body was read", "code": ""}})
    side, count = SIZES[megabytes]
    references = tuple(noise(tmp_path / f"{n}.png", side, n) for n in range(count))
    with GoServer(response(status, body.encode(), *headers)) as server:
        customer = Customer(f"http://127.0.0.1:{server.port}", tmp_path / "home")
        customer.references = references
        outcomes = [customer.pay() for _ in range(3)]
        assert [one.kind for one in outcomes] == [kind] * 3
        assert all(one.is_free for one in outcomes)
        assert server.posts >= 3 and min(server.sizes) > megabytes * 500_000
        outcomes[0].require_readable("said before the body was read")


@pytest.mark.parametrize("megabytes", SIZES)
def test_early_refusal_over_tls_is_free(
    megabytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, serving = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    side, count = SIZES[megabytes]
    references = tuple(noise(tmp_path / f"{n}.png", side, n) for n in range(count))
    said = response(401, b'{"error": {"message": "said before the body was read"}}')
    with GoServer(said, tls=serving) as server:
        customer = Customer(f"https://127.0.0.1:{server.port}", tmp_path / "home")
        customer.references = references
        outcomes = [customer.pay() for _ in range(2)]
    assert [one.kind for one in outcomes] == ["AuthenticationFailed"] * 2
    assert all(one.is_free for one in outcomes) and server.posts == 2
