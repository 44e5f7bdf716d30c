"""Model entries: every mistake names its line, entry and key, and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from seedream_api.catalog import MODELS, Model, parse_models
from seedream_api.catalog.entry_rules import KEYS
from seedream_api.errors import InvalidRequest
from seedream_api.messages import to_chinese
from seedream_api.service.references import UrlReference
from seedream_api.service.request import Request
from seedream_api.service.validation import validate_request
from support.broken_models import BROKEN, FIRST, write_broken
from support.paths import PACK_ROOT

EXAMPLE = PACK_ROOT / "docs" / "examples" / "models.json"


def parse(text: str) -> Model:
    """The last model of a file."""
    return list(parse_models(text, MODELS).values())[-1]


def entry(**keys: Any) -> Model:
    return parse(json.dumps([{"id": "Seedream-9", "family": "evolink", **keys}]))


@pytest.mark.parametrize("name", BROKEN)
def test_broken_entry_names_line_key_and_allowed(name: str) -> None:
    text, line, key, allowed = BROKEN[name]
    with pytest.raises(ValueError, match="entry 2") as caught:
        parse(write_broken(text))
    said = str(caught.value)
    assert said.startswith(f"line {line}, ") and allowed in said.partition("allowed: ")[2]
    assert f"{key}: " in said or f"{key} is missing" in said
    assert f"第 {line} 行" in str(to_chinese(caught.value.args[0]))


@pytest.mark.parametrize(
    ("text", "said"),
    [("[{]", "line 1, column 3"), ('[\n{"id": "x",}\n]', "line 2"), ("{}", "line 1"),
     (FIRST + "7]", "line 3")],
)  # fmt: skip
def test_text_that_is_not_a_list_of_entries_names_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_entry_inherits_what_it_leaves_out() -> None:
    copied = entry(like="Seedream-4.5")
    assert copied.fields == MODELS["Seedream-4.5"].fields and copied.doubted
    assert copied.sources == MODELS["Seedream-4.5"].sources
    own = entry(like="Seedream-4.5", qualities=["3K", "1K"], prices={"3K": "0.30"})
    assert own.default_quality == "3K" and "quality" not in own.doubted
    assert own.doubted["prompt_priority"] and "qualities" not in own.sources
    assert isinstance(own.prices, Mapping) and Decimal(own.prices["3K"]) == Decimal("0.3")


def test_entry_like_an_earlier_entry_and_its_sent_name() -> None:
    models = parse_models(EXAMPLE.read_text("utf-8"), MODELS)
    plain, cutout = models["Seedream-5.5"], models["Seedream-5.5-Cutout"]
    assert cutout.qualities == plain.qualities and cutout.max_references == 10
    assert cutout.sent_id == plain.sent_id == "Seedream-5.5" and cutout.alpha and not plain.alpha


def test_example_of_5_5_is_sent_as_described() -> None:
    models = parse_models(EXAMPLE.read_text("utf-8"), MODELS)
    request = Request(model="Seedream-5.5-Cutout", prompt="a fox", quality="1.5K")
    body = request.body(validate_request(request, models).model, ("https://example.com/a.png",))
    assert body == {
        "model": "Seedream-5.5", "prompt": "a fox", "size": "1:1", "quality": "1.5K",
        "image_urls": ["https://example.com/a.png"], "background": "transparent",
        "output_format": "png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "allowed"),
    [({"quality": "4K"}, "1K, 1.5K, 2K"), ({"n": 2}, "quality"), ({"size": "5:1"}, "16:9"),
     ({"prompt_priority": "fast"}, "quality"), ({"output_format": "webp"}, "png, jpeg"),
     ({"references": tuple(UrlReference(f"https://example.com/{i}.png") for i in range(11))},
      "10")],
)  # fmt: skip
def test_value_that_a_model_does_not_take_is_refused(given: Any, allowed: str) -> None:
    models = parse_models(EXAMPLE.read_text("utf-8"), MODELS)
    with pytest.raises(InvalidRequest) as caught:
        validate_request(Request(model="Seedream-5.5", prompt="x", **given), models)
    assert allowed in caught.value.hint("en")


def test_field_of_extra_cannot_be_chosen() -> None:
    models = parse_models(EXAMPLE.read_text("utf-8"), MODELS)
    request = Request(model="Seedream-5.5-Cutout", prompt="x", output_format="png")
    with pytest.raises(InvalidRequest, match="output_format"):
        validate_request(request, models)


def test_schema_agrees_with_the_rules() -> None:
    schema = json.loads((PACK_ROOT / "docs" / "models.schema.json").read_text("utf-8"))["items"]
    assert schema["required"] == [key for key, rule in KEYS.items() if rule.is_required]
    stated: dict[str, Any] = schema["properties"]
    assert list(stated) == list(KEYS)
    for key, rule in KEYS.items():
        found, control = stated[key], rule.control
        if rule.kind == "number":
            assert (found["minimum"], found["maximum"]) == (control["low"], control["high"])
        elif "values" in control:
            assert found.get("items", found)["enum"] == control["values"]
        types = {"switch": "boolean", "texts": "texts", "members": "object"}
        if rule.kind in types:
            assert found.get("type", found.get("$ref", "").rpartition("/")[2]) == types[rule.kind]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_is_documented_and_labelled(language: str) -> None:
    page = "models.md" if language == "en" else "models.zh-CN.md"
    text = (PACK_ROOT / "docs" / page).read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in text] == []
    texts = json.loads((PACK_ROOT / "locales" / language / "main.json").read_text("utf-8"))
    fields: dict[str, Any] = texts["seedream"]["models"]["fields"]
    assert [key for key in KEYS if not fields[key]["label"]] == [] and set(fields) == set(KEYS)
