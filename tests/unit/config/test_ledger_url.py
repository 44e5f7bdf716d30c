"""The address of a shared ledger: what is accepted, and that nothing of a password shows."""

from __future__ import annotations

import pytest

from seedream_api.config.ledger_url import list_ledger_secrets, parse_ledger_url
from seedream_api.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:pa%2Fss@db.example.com:5432/ledger?sslmode=verify-full",
        "postgres://db/ledger",
        "postgresql://user@[::1]:5432/ledger",
        "postgresql://one:5432,two:5433,[::1]:5434,four/ledger",
        "postgresql:///ledger?host=/var/run/postgresql",
    ],
)
def test_ledger_url_of_a_database_is_accepted(url: str) -> None:
    assert parse_ledger_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter22/x@db/ledger",
        "postgresql://u:hunter22?x@db/ledger",
        "postgresql://u:hunter22#x@db/ledger",
        "postgresql://127.0.0.1:hunter22/x@db/ledger",
        "postgresql://u:hunter22",
        "postgresql://db/ledger#hunter22",
        "mysql://u:hunter22@db/ledger",
        "postgresql://u:hunter22@[db/ledger",
        "postgresql://u:hunter22@db/led ger",
    ],
)
def test_ledger_url_with_a_bare_mark_in_its_password_is_refused(url: str) -> None:
    error = parse_ledger_url(url)
    assert isinstance(error, ConfigurationError) and "hunter22" not in str(error)
    assert "percent-encoded" in str(error)


def test_ledger_secrets_are_passwords_as_written_and_decoded() -> None:
    found = list_ledger_secrets("postgresql://u:pa%2Fss@db/ledger?sslpassword=other")
    assert set(found) == {"pa%2Fss", "pa/ss", "other"}
    found = list_ledger_secrets("postgresql://u@db/ledger?pass%77ord=a+b%2B&sslmode=require")
    assert set(found) == {"a+b%2B", "a+b+"}
    assert list_ledger_secrets("postgresql://u@db/ledger") == ()
