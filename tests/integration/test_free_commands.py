"""``models``, ``balance`` and ``download``, which charge nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api import MODELS
from support.command_kit import FIELDS
from support.fake_service import Json, Status
from support.sample_requests import NOW_5


def test_balance_states_units_and_no_more(api_client: Any) -> None:
    ran = api_client.inside("balance", "--json")
    assert ran.code == 0 and ran.json["units"] > 0 and not ran.json["is_unlimited"]
    assert "quota units left" in api_client.inside("balance").out and api_client.sent == 0


@pytest.mark.parametrize(
    ("granted", "billed", "shown"),
    [
        ({"hard_limit_usd": 20.0}, {"total_usage": 1250}, "7.50 left"),
        ({"hard_limit_usd": 100_000_000}, {"total_usage": 1250}, "no quota limit"),
        ({"hard_limit_usd": 20.0}, {"error": {"message": "no"}}, "does not report"),
        ({"error": {"message": "no", "type": "new_api_error"}}, {}, "does not report"),
    ],
)
def test_balance_of_a_dashboard_is_shown(
    api_client: Any, granted: dict[str, Any], billed: dict[str, Any], shown: str
) -> None:
    for route, fault in (
        ("usage", Status(404)),
        ("granted", Json(granted)),
        ("billed", Json(billed)),
    ):
        api_client.sandbox.faults.push(route, fault)
    assert shown in api_client.inside("balance").out


def test_models_lists_the_catalogue(api_client: Any, tmp_path: Path) -> None:
    more = tmp_path / "models.json"
    more.write_text(json.dumps([{"id": "Seedream-6", "family": "evolink"}]))
    ran = api_client.inside("models", "--json", SEEDREAM_MODELS=str(more))
    assert ran.code == 0 and list(ran.json) == ["models"]
    assert [model["id"] for model in ran.json["models"]] == [*MODELS, "Seedream-6"]
    assert all(name in api_client.inside("models").out for name in MODELS)


def test_download_takes_public_and_allowed_hosts_only(api_client: Any, out: Path) -> None:
    url = api_client.generate(model=NOW_5).urls[0]
    stored = api_client.inside("download", url, "--out", out, "--json")
    assert stored.code == 0 and stored.json["reused"] and set(stored.json) == FIELDS
    strange = url + "?again"  # not in the record
    refused = api_client.inside("download", strange, "--out", out, "--json")
    assert refused.code == 2 and refused.json["error"]["type"] == "UnsafeURL"
    host = api_client.sandbox.url.removeprefix("http://")
    fetched = api_client.inside(
        "download", strange, f"{url}/none", strange, "--out", out, "--json",
        SEEDREAM_ALLOW_HOSTS=host,
    )  # fmt: skip
    assert fetched.code == 0 and fetched.json["status"] == "partial"
    assert [image["url"] for image in fetched.json["images"]] == [strange, strange]
    assert [failure["position"] for failure in fetched.json["failures"]] == [1]
    assert not fetched.json["may_have_been_charged"] and api_client.sent == 1


def test_live_models_are_matched_and_suggested(
    make_sandbox: Callable[..., Any], make_api_client: Callable[..., Any]
) -> None:
    from seedream_api.catalog import parse_models

    new = '[{"id": "Seedream-5.5", "family": "evolink"}]'
    client = make_api_client(make_sandbox(models=parse_models(new, MODELS)))
    ran = client.inside("models", "--live", "--json")
    assert ran.code == 0 and [one["id"] for one in ran.json["offered"]] == [*MODELS, "Seedream-5.5"]
    suggestion = ran.json["offered"][-1]["suggestion"]
    assert suggestion["like"] == "Seedream-4.5" and suggestion["max_references"] == 14
    assert ran.json["missing"] == [] and client.sent == 0
    client.home.mkdir(exist_ok=True)
    (client.home / "models.json").write_text(json.dumps([suggestion]), "utf-8")
    again = client.inside("models", "--live", "--json").json["offered"][-1]
    assert again["known_as"] == ["Seedream-5.5"] and again["suggestion"] is None
    closed = make_api_client(make_sandbox(simulated=["no-models-list"]))
    assert closed.inside("models", "--live", "--json").json["offered"] is None
