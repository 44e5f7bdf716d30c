"""nginx before the service: its pages do not count as statements of the service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from seedream_api import Charge

from .origin import DIE, SILENCE, Origin
from .paying import Customer, noise
from .programs import free_port, refusing_port, running

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  limit_req_zone $server_name zone=all:1m rate=2r/s;
  {http}
  server {{
    listen 127.0.0.1:{port};
    {server}
    location / {{ proxy_pass http://127.0.0.1:{origin}; {location} }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(
    folder: Path, origin: int, *, http: str = "", server: str = "", location: str = ""
) -> Iterator[Customer]:
    """A customer behind nginx with these directives."""
    port = free_port()
    path = folder / "nginx.conf"
    path.write_text(
        CONFIGURATION.format(
            folder=folder, port=port, origin=origin, http=http, server=server, location=location
        )
    )
    arguments = ("-c", path, "-p", folder, "-e", "stderr")
    with running("nginx", *arguments, port=port, folder=folder):
        yield Customer(f"http://127.0.0.1:{port}", folder / "home")


def test_body_over_the_limit_is_refused(tmp_path: Path, origin: Origin) -> None:
    with nginx(tmp_path, origin.port, server="client_max_body_size 1m;") as customer:
        customer.references = (noise(tmp_path / "large.png", 900),)
        outcome = customer.pay()
        assert outcome.is_free and outcome.kind == "ApiRefused"
        assert origin.posts == 0
        outcome.require_readable("413 Request Entity Too Large")


def test_read_timeout_leaves_the_outcome_unknown(tmp_path: Path, origin: Origin) -> None:
    origin.answer = lambda number: SILENCE
    with nginx(tmp_path, origin.port, location="proxy_read_timeout 1s;") as customer:
        outcome, again = customer.pay(), customer.pay()
        for one in (outcome, again):
            assert one.kind == "OutcomeUnknown" and one.charge is Charge.POSSIBLE
        assert origin.posts == 1
        outcome.require_readable(may_quote=("504 Gateway Time-out",))


def test_rate_limit_is_retried_until_accepted(tmp_path: Path, origin: Origin) -> None:
    limit = "limit_req zone=all; limit_req_status 429;"
    with nginx(tmp_path, origin.port, location=limit) as customer:
        first, second = customer.pay("one cat"), customer.pay("two cats")
        assert first.kind == second.kind == "Result"
        assert origin.posts == 2


def test_rate_limit_that_lasts_is_free(tmp_path: Path, origin: Origin) -> None:
    with nginx(tmp_path, origin.port, server="return 429;") as customer:
        outcome = customer.pay()
        assert outcome.is_free and outcome.kind == "RateLimited" and origin.posts == 0
        outcome.require_readable("429 Too Many Requests")


def test_busy_page_is_not_a_missing_channel(tmp_path: Path, origin: Origin) -> None:
    with nginx(tmp_path, origin.port, server="return 503;") as customer:
        outcome = customer.pay()
        assert outcome.kind == "OutcomeUnknown" and outcome.charge is Charge.POSSIBLE
        outcome.require_readable(may_quote=("503 Service Temporarily Unavailable",))


def test_dead_origin_leaves_the_outcome_unknown(tmp_path: Path, origin: Origin) -> None:
    with refusing_port() as dead, nginx(tmp_path, dead) as customer:
        outcome = customer.pay()
        assert outcome.kind == "OutcomeUnknown" and outcome.charge is Charge.POSSIBLE
        outcome.require_readable(may_quote=("502 Bad Gateway",))


def test_dying_origin_is_sent_one_request(tmp_path: Path, origin: Origin) -> None:
    origin.answer = lambda number: DIE
    with nginx(tmp_path, origin.port) as customer:
        outcomes = [customer.pay() for _ in range(3)]
        assert {one.kind for one in outcomes} == {"OutcomeUnknown"}
        assert origin.posts == 1


def test_compressed_response_is_read(tmp_path: Path, origin: Origin) -> None:
    gzip = "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *;"
    with nginx(tmp_path, origin.port, http=gzip, server="gzip_http_version 1.0;") as customer:
        outcome, again = customer.pay(), customer.pay()
        assert outcome.kind == again.kind == "Result" and origin.posts == 1


def test_forbidden_page_is_a_refusal(tmp_path: Path, origin: Origin) -> None:
    with nginx(tmp_path, origin.port, location="deny all;") as customer:
        outcome = customer.pay()
        assert outcome.is_free and origin.posts == 0
        outcome.require_readable("403 Forbidden")


REDIRECT_TITLES = ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect",
                   "308 Permanent Redirect")  # fmt: skip


def test_redirect_to_another_address_is_free(tmp_path: Path, origin: Origin) -> None:
    for status in (301, 302, 303, 307, 308):
        folder = tmp_path / str(status)
        folder.mkdir()
        rule = f"return {status} http://127.0.0.1:{origin.port}$request_uri;"
        with nginx(folder, origin.port, server=rule) as customer:
            outcome = customer.pay()
            assert outcome.is_free, outcome
            outcome.require_readable(may_quote=REDIRECT_TITLES)
    assert origin.posts == 0
