"""What the nodes show in Chinese has a twin for every text of /object_info, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"(?<![A-Za-z])\d+(?:\.\d+)?")
MARKS = re.compile(r"[{}@|$]")
"""The frontend reads these in a text as places for values, links and plurals."""
WORDS = {
    "SeedreamPreferential": {"output_format": ["auto"], "fit": ["pad", "crop", "stretch"]},
    "SeedreamEvolink": {
        "size": ["auto"],
        "prompt_priority": ["standard", "fast"],
        "fit": ["pad", "crop", "stretch"],
    },
    "SeedreamPollTask": {"fit": ["pad", "crop", "stretch"]},
    "SeedreamLoadURLImages": {"on_error": ["fail", "skip"], "fit": ["pad", "crop", "stretch"]},
    "SeedreamUploadReferences": {},
    "SeedreamBatch": {"on_error": ["keep", "fail"], "fit": ["pad", "crop", "stretch"]},
}
"""The choices that are words; the others are names, numbers and ratios."""
NAMES = {"DeepSpaceAPI", "{model}，{name}", "{amount} {currency}"}
"""Texts that are the same in every language."""


@pytest.fixture(scope="module")
def chinese(comfyui: ComfyServer) -> dict[str, Any]:
    """As the frontend gets it."""
    return comfyui.request("GET", "/i18n").json()["zh"]["nodeDefs"]


@pytest.fixture(scope="module")
def shown(comfyui: ComfyServer) -> dict[str, Any]:
    return {
        name: info for name, info in comfyui.object_info().items() if name.startswith("Seedream")
    }


def inputs_of(info: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Every input that a person sees, growing ones too, by the key that the frontend looks up."""
    for name, spec in {**info["input"].get("required", {}), **info["input"]["optional"]}.items():
        yield name.replace(".", "_"), spec
        for one in spec[1].get("template", {}).get("names", []):
            yield f"{name}_{one}", spec


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else ():
        yield from texts(one)


def test_every_node_text_has_its_twin(chinese: dict[str, Any], shown: dict[str, Any]) -> None:
    assert set(chinese) == set(shown) == set(WORDS)
    for node, info in shown.items():
        twin = chinese[node]
        assert twin["display_name"] and twin["description"]
        wanted = {key for key, _ in inputs_of(info)}
        # Hosts without growing inputs have image_1 ... image_14 alone, the others "images" too.
        assert set(twin["inputs"]) - {"images"} == wanted - {"images"}
        for key in wanted:
            assert twin["inputs"][key]["name"] and twin["inputs"][key]["tooltip"], key
        assert list(twin["outputs"]) == [str(place) for place, _ in enumerate(info["output"])]
        assert all(output["name"] and output["tooltip"] for output in twin["outputs"].values())


def test_every_choice_that_is_a_word_has_its_twin(
    chinese: dict[str, Any], shown: dict[str, Any]
) -> None:
    for node, inputs in WORDS.items():
        offered = {
            key: spec[1]["options"] for key, spec in inputs_of(shown[node]) if spec[0] == "COMBO"
        }
        for key, words in inputs.items():
            assert set(words) <= set(offered[key])
        given = {
            key: list(one["options"])
            for key, one in chinese[node]["inputs"].items()
            if "options" in one
        }
        assert given == inputs


def explained(text: str, word: str) -> bool:
    """Whether it says more of the word than the word itself."""
    return re.search(rf"\b{word}\b\W*\w{{2}}", text) is not None


@pytest.mark.parametrize("node", WORDS)
def test_tooltip_explains_every_choice_that_is_a_word(
    chinese: dict[str, Any], shown: dict[str, Any], node: str
) -> None:
    english = {key: spec[1]["tooltip"] for key, spec in inputs_of(shown[node])}
    for key, words in WORDS[node].items():
        twin = chinese[node]["inputs"][key]
        assert [word for word in words if not explained(english[key], word)] == []
        # By what is saved and by what is shown: frontends show one or the other.
        assert [
            word for word in words if f"{word} {twin['options'][word]}" not in twin["tooltip"]
        ] == []


@pytest.mark.parametrize("node", WORDS)
def test_both_languages_state_the_same_numbers(
    chinese: dict[str, Any], shown: dict[str, Any], node: str
) -> None:
    for key, spec in inputs_of(shown[node]):
        stated = [chinese[node]["inputs"][key]["tooltip"], spec[1]["tooltip"]]
        translated, english = (sorted(set(NUMBER.findall(text))) for text in stated)
        assert translated == english, key


def test_translations_are_chinese_without_frontend_markup(
    chinese: dict[str, Any],
) -> None:
    found = list(texts(chinese))
    assert len(found) > 100
    assert [text for text in found if not CHINESE.search(text)] == []
    assert [text for text in found if MARKS.search(text)] == []


def test_growing_inputs_say_the_same(chinese: dict[str, Any]) -> None:
    for node in ("SeedreamPreferential", "SeedreamEvolink", "SeedreamUploadReferences"):
        growing = {k: v for k, v in chinese[node]["inputs"].items() if k.startswith("images")}
        assert len(growing) == 15 and len({one["tooltip"] for one in growing.values()}) == 1
        first = growing.pop("images")["name"]
        assert [one["name"] for one in growing.values()] == [f"{first} {n}" for n in range(1, 15)]


def test_english_node_texts_are_in_the_schemas_only() -> None:
    assert not (PACK_ROOT / "locales" / "en" / "nodeDefs.json").exists()


def flat(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, str):
        return {path: value}
    return {
        key: text
        for name, one in value.items()
        for key, text in flat(one, f"{path}.{name}").items()
    }


@pytest.mark.parametrize("file", ["main", "settings", "commands"])
def test_other_texts_of_the_app_are_twins(file: str) -> None:
    paths = [PACK_ROOT / "locales" / language / f"{file}.json" for language in ("en", "zh")]
    english, chinese = (flat(json.loads(path.read_text("utf-8"))) for path in paths)
    # Chinese has no singular.
    twins = [key for key in english if not key.endswith("_one")]
    assert twins == [key for key in chinese if not key.endswith("_one")]
    assert [key for key, text in english.items() if CHINESE.search(text)] == []
    values = re.compile(r"\{\w*\}")
    words = {values.sub("", text).strip(" ，") for text in chinese.values()}
    assert {text for text in words if text and not CHINESE.search(text)} <= NAMES
    for key, text in english.items():
        assert sorted(values.findall(text)) == sorted(
            values.findall(chinese.get(key, chinese.get(key.removesuffix("_one"), "")))
        ), key
