"""A real S3 server on loopback: moto's, with the checks of keys and expiry that it lacks."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from .canary import S3_SECRET
from .removable import Removable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

KEY_ID, SECRET = "AKIATESTTESTTEST", S3_SECRET
_PARTS = ("SignedHeaders", "Signature", "Credential")


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class S3Server(Removable):
    """Buckets in memory. Every request is kept as (method, path with query)."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.failing: list[int] = []
        """Statuses of the next responses."""
        self.refusal: tuple[int, str, str] | None = None
        """Status, code and message of the response to every PUT."""
        self.delay_s = 0.0
        """Real seconds before every response."""
        self._backend = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def remove(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of(self, method: str) -> list[str]:
        return [path for one, path in self.requests if one == method]

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path, query = environ["RAW_URI"].partition("?")[::2]
        if not path.startswith("/"):  # asked as a proxy
            path = urlsplit(path).path
        self.requests.append((environ["REQUEST_METHOD"], environ["RAW_URI"]))
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.refusal and environ["REQUEST_METHOD"] == "PUT":
            return _error(start, *self.refusal)
        if self.failing:
            return _error(start, self.failing.pop(0), "SlowDown", "Please reduce your rate")
        if "X-Amz-Signature" in query:
            refusal = _presigned(environ, path, query)
        else:
            refusal = _signed(environ, path, query)
        if refusal:
            return _error(start, 403, refusal, "Refused")
        return self._backend(environ, start)


def _error(start: Callable[..., Any], status: int, code: str, message: str) -> list[bytes]:
    start(f"{status} No", [("Content-Type", "application/xml")])
    return [f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()]


def _canonical(pairs: Iterable[tuple[str, str]]) -> str:
    quoted = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in quoted)


def _presigned(environ: dict[str, Any], path: str, query: str) -> str:
    """Why S3 would refuse a presigned request; empty: it would not."""
    values = dict(parse_qsl(query, keep_blank_values=True))
    begun = datetime.strptime(values["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if (datetime.now(timezone.utc) - begun).total_seconds() > int(values["X-Amz-Expires"]):
        return "AccessDenied"
    given = values.pop("X-Amz-Signature")
    canonical = _canonical(values.items())
    signed = values["X-Amz-SignedHeaders"]
    known = _signature(
        environ, path, canonical, signed, "UNSIGNED-PAYLOAD",
        values["X-Amz-Credential"], values["X-Amz-Date"],
    )  # fmt: skip
    return "" if hmac.compare_digest(given, known) else "SignatureDoesNotMatch"


def _signed(environ: dict[str, Any], path: str, query: str) -> str:
    """Why S3 would refuse a request with an Authorization header; empty: it would not."""
    header = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2]
    parts = dict(part.strip().split("=", 1) for part in header.split(",") if "=" in part)
    if any(part not in parts for part in _PARTS):
        return "AccessDenied"
    if parts["Credential"].partition("/")[0] != KEY_ID:
        return "InvalidAccessKeyId"
    canonical = _canonical(parse_qsl(query, keep_blank_values=True))
    known = _signature(
        environ, path, canonical, parts["SignedHeaders"], environ["HTTP_X_AMZ_CONTENT_SHA256"],
        parts["Credential"], environ["HTTP_X_AMZ_DATE"],
    )  # fmt: skip
    return "" if hmac.compare_digest(parts["Signature"], known) else "SignatureDoesNotMatch"


def _signature(
    environ: dict[str, Any], path: str, query: str, signed: str, payload: str,
    credential: str, date: str,
) -> str:  # fmt: skip
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    plain = ("content-type", "content-length")
    headers = "".join(
        f"{name}:{environ[name.upper().replace('-', '_') if name in plain else _wsgi(name)]}\n"
        for name in signed.split(";")
    )
    canonical = "\n".join((environ["REQUEST_METHOD"], path, query, headers, signed, payload))
    scope = credential.partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    text = "\n".join(("AWS4-HMAC-SHA256", date, scope, digest))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _wsgi(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")
