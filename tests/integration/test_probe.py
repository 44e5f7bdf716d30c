"""First contact: what a probe asks, what it learns, what follows from it, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seedream_api import Request, generate, pixels_reference
from seedream_api.config.facts import Facts, parse_facts
from seedream_api.errors import ConfigurationError
from seedream_api.probe.free import UNKNOWN_TASK
from seedream_api.probe.paid import PROMPT
from seedream_api.sandbox.generation import SIMULATIONS
from support.spec_service import KEY as SECOND_KEY, Script, refusal, serving

NOW_5, LATER_5 = "Seedream-5.0-Lite-Preferential", "Seedream-5.0-Lite"


def facts_of(client: Any) -> Facts:
    text = (client.home / "facts.json").read_text("utf-8")
    return parse_facts(text, client.settings().address)


def picture() -> Any:
    return pixels_reference(np.zeros((32, 32, 3), np.uint8), "black")


@pytest.fixture
def make_client(make_sandbox: Any, make_api_client: Any) -> Callable[..., Any]:
    return lambda *simulated, **options: make_api_client(
        make_sandbox(simulated=simulated, **options)
    )


def test_free_probe_posts_nothing_and_settles_four_questions(make_client: Any) -> None:
    client = make_client()
    ran = client.inside("doctor", "--probe", "--json")
    assert ran.code == 0 and [f["settled"] for f in ran.json["findings"]] == [True] * 4
    assert not [one for one in client.sandbox.requests if one.method != "GET"]
    assert client.rows == [] and ran.json["may_have_been_charged_images"] == 0
    facts = facts_of(client)
    assert facts.lists_models and facts.states_balance and facts.inline == {}
    assert facts.unknown_task and facts.unknown_task["http_status"] == 404
    assert ran.json["facts"]["unknown_task"]["message"].startswith("Task not found")
    assert any(one.path.endswith(UNKNOWN_TASK) for one in client.sandbox.requests)
    checks = client.inside("doctor", "--json").json["checks"]
    shown = next(check["message"] for check in checks if check["name"] == "facts")
    assert "list of models open: yes" in shown and "balance open: yes" in shown
    assert "an unknown task is reported with HTTP 404" in shown


@pytest.mark.parametrize(
    ("simulated", "options", "expected", "posts", "charged"),
    [
        ((), {}, {"inline": {"preferential": True, "evolink": False}}, 2, 1),
        (("inline-evolink",), {},
         {"inline": {"preferential": True, "evolink": True},
          "tiers": {NOW_5: {"2K": True}, LATER_5: {"1K": True}}}, 2, 2),
        (("inline-evolink",), {"strict": True},
         {"tiers": {NOW_5: {"2K": True}, LATER_5: {"1K": False, "2K": True}}}, 3, 2),
        (("no-inline",), {}, {"inline": {"preferential": False, "evolink": False}}, 2, 0),
        (("small-bodies",), {},
         {"body_refused": 4 * 1024**2, "body_accepted": 4 * 64**2,
          "inline": {"preferential": True, "evolink": False}}, 4, 1),
        (("signed-links",), {}, {"link_life_s": {"preferential": 3600.0}}, 2, 1),
        (("no-models-list", "no-balance"), {}, {"lists_models": False, "states_balance": False},
         2, 1),
    ],
    ids=lambda value: "-".join(value) or "default" if isinstance(value, tuple) else "",
)  # fmt: skip
def test_paid_probe_learns_how_the_service_behaves(
    make_client: Any,
    simulated: tuple[str, ...],
    options: dict[str, Any],
    expected: dict[str, Any],
    posts: int,
    charged: int,
) -> None:
    client = make_client(*simulated, **options)
    ran = client.inside("doctor", "--probe", "--paid", "--yes", "--json")
    assert ran.code == 0
    learned = facts_of(client).to_json()
    for name, value in expected.items():
        assert learned[name] == (pytest.approx(value, abs=5) if "life" in name else value)
    assert client.sent == posts == len(client.rows)
    assert ran.json["may_have_been_charged_images"] == charged
    assert client.sandbox.images_made == charged


def test_evolink_sends_inline_references_if_the_service_can(make_client: Any) -> None:
    client = make_client("inline-evolink")
    # The address of a separate sandbox with another key is a service like any other.
    other = {"SEEDREAM_UPLOAD": "auto"}

    async def ask(session: Any) -> Any:
        from seedream_api.uploads import choose

        target = choose.select_target(session.client, session.settings.models[LATER_5])
        return target.name, await generate(
            Request(model=LATER_5, prompt="a cat", references=(picture(),)), session
        )

    with pytest.MonkeyPatch.context() as patch:
        from seedream_api.config.settings import Settings

        patch.setattr(Settings, "is_sandbox", False)
        with pytest.raises(ConfigurationError, match="only as URLs"):
            client.run(ask, **other)
        client.inside("doctor", "--probe", "--paid", "--yes", "--json")
        before = client.sent
        name, result = client.run(ask, **other)
    assert name == "inline" and result.status == "completed" and client.sent == before + 1
    shown = client.inside("doctor", "--json").json["checks"]
    facts = next(check["message"] for check in shown if check["name"] == "facts")
    assert "evolink takes inline images: yes" in facts
    assert client.inside("doctor", "--forget-facts").code == 0
    assert facts_of(client).is_empty


def test_refused_tier_is_noted_and_accepted_tier_is_not(make_client: Any) -> None:
    client = make_client("inline-evolink", strict=True)
    client.inside("doctor", "--probe", "--paid", "--yes", "--json")
    doubts = client.settings().models[LATER_5].doubted["quality"]
    assert "the service refused it" in doubts["1K"]
    lenient = make_client("inline-evolink")
    lenient.inside("doctor", "--probe", "--paid", "--yes", "--json")
    assert "quality" not in lenient.settings().models[LATER_5].doubted


def test_paid_probe_asks_first_and_sends_nothing_unasked(make_client: Any) -> None:
    client = make_client()
    ran = client.command("doctor", "--probe", "--paid")  # stdin is not a terminal
    assert ran.code == 2 and "--yes" in ran.err and client.sandbox.requests == []
    assert client.inside("doctor", "--paid").code == 2


def test_probe_of_a_second_service_has_no_secret(make_api_client: Any, make_sandbox: Any) -> None:
    with serving() as service:
        client = make_api_client(make_sandbox())
        client.environ |= {"DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": SECOND_KEY}
        free = client.inside("doctor", "--probe", "--json")
        assert free.code == 0 and service.posts == []
        ran = client.inside("doctor", "--probe", "--paid", "--yes", "--json")
    facts = facts_of(client)
    assert facts.inline["preferential"] is True and facts.lists_models is False
    assert facts.tiers[NOW_5] == {"2K": True}
    assert [post["model"] for post in service.posts] == [NOW_5, LATER_5]
    assert SECOND_KEY not in json.dumps(ran.json) and SECOND_KEY not in (
        client.home / "facts.json"
    ).read_text("utf-8")


def refuse(code: str, message: str) -> Callable[[Any], Any]:
    return lambda job: refusal(400, code, message)


@pytest.mark.parametrize(
    ("posted", "expected", "posts", "charged"),
    [
        (refuse("invalid_parameters", "image_urls must be https URLs"),
         {"inline": {"preferential": False, "evolink": False}}, 2, 0),
        (refuse("InvalidParameter", "The parameter `size` specified in the request is not valid"),
         {"tiers": {NOW_5: {"2K": False, "4K": False}, LATER_5: {"1K": False, "2K": False}}}, 4, 0),
        (lambda job: (413, b"<html>413 Request Entity Too Large</html>"),
         {"body_refused": 4 * 1024**2}, 4, 0),
        (lambda job: refusal(402, "insufficient_user_quota", "balance"), {}, 2, 0),
        (lambda job: refusal(500, "internal", "try again"), {}, 1, 1),
    ],
    ids=["inline", "tiers", "body", "balance", "unclear"],
)  # fmt: skip
def test_paid_probe_learns_from_what_a_second_service_refuses(
    make_api_client: Any,
    make_sandbox: Any,
    posted: Callable[[Any], Any],
    expected: dict[str, Any],
    posts: int,
    charged: int,
) -> None:
    with serving() as service:
        client = make_api_client(make_sandbox())
        client.environ |= {"DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": SECOND_KEY}
        service.scripts[PROMPT] = Script(posted=posted)
        ran = client.inside("doctor", "--probe", "--paid", "--yes", "--json")
        assert len(service.posts) == posts
    learned = facts_of(client).to_json()
    free = {"checked_on", "lists_models", "states_balance", "unknown_model", "unknown_task"}
    assert {name: value for name, value in learned.items() if name not in free} == expected
    assert ran.json["may_have_been_charged_images"] == charged
    assert SECOND_KEY not in ran.out


def test_probe_with_a_refused_key_fails_and_learns_nothing(make_client: Any) -> None:
    client = make_client()
    client.environ["DEEPSPACE_API_KEY"] = "sk-unknown-0000000000"
    ran = client.inside("doctor", "--probe", "--json")
    assert ran.code == 3 and ran.json["error"]["type"] == "AuthenticationFailed"
    assert not (client.home / "facts.json").exists()


@pytest.mark.parametrize("simulated", [(), *((one,) for one in SIMULATIONS)], ids=str)
def test_free_probe_of_every_configuration_charges_nothing(
    make_client: Any, simulated: tuple[str, ...]
) -> None:
    client = make_client(*simulated)
    ran = client.inside("doctor", "--probe", "--json")
    assert ran.code == 0 and client.sent == 0 == client.sandbox.images_made
    assert ran.json["may_have_been_charged_images"] == 0 and client.rows == []
    assert client.environ["DEEPSPACE_API_KEY"] not in ran.out


def test_paid_probe_of_a_model_without_tiers_learns_the_rest(make_client: Any) -> None:
    client = make_client("inline-evolink")
    bare = [{"id": LATER_5, "family": "evolink", "qualities": []}]
    client.home.mkdir(exist_ok=True)
    (client.home / "models.json").write_text(json.dumps(bare), "utf-8")
    ran = client.inside("doctor", "--probe", "--paid", "--yes", "--json")
    assert ran.code == 0 and ran.json["may_have_been_charged_images"] == 2
    assert facts_of(client).inline == {"preferential": True, "evolink": True}
    assert LATER_5 not in facts_of(client).tiers
