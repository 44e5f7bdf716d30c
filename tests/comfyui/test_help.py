"""The help pages: served where the app looks, whole in both languages, their numbers true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.comfy_launch import PACK_FOLDER
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

NODES = (
    "SeedreamPreferential", "SeedreamEvolink", "SeedreamPollTask", "SeedreamLoadURLImages",
    "SeedreamUploadReferences", "SeedreamBatch",
)  # fmt: skip
PAGES = [(node, language) for node in NODES for language in ("en", "zh")]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def page(node: str, language: str) -> str:
    return (PACK_ROOT / "web" / "docs" / node / f"{language}.md").read_text("utf-8")


@pytest.fixture(scope="module")
def shown(comfyui: ComfyServer) -> dict[str, Any]:
    return comfyui.object_info()


def inputs_of(info: dict[str, Any]) -> dict[str, list[Any]]:
    """By name; the growing ones, and those that stand for them on an older host, as ``images``."""
    given = {**info["input"].get("required", {}), **info["input"]["optional"]}
    return {name.partition(".")[0]: spec for name, spec in given.items()}


@pytest.mark.parametrize("node", NODES)
def test_help_page_is_served_in_both_languages(comfyui: ComfyServer, node: str) -> None:
    def served(path: str) -> str:
        answer = comfyui.request("GET", f"/extensions/{PACK_FOLDER}/docs/{path}")
        assert answer.status == 200
        return answer.body.decode()

    english, chinese = served(f"{node}/en.md"), served(f"{node}/zh.md")
    # Asked for where the language has no page; without the other one the console shows a 404.
    assert served(f"{node}.md") == english
    assert not CHINESE.search(english) and len(CHINESE.findall(chinese)) > 300


@pytest.mark.parametrize(("node", "language"), PAGES)
def test_every_input_and_output_is_named(shown: dict[str, Any], node: str, language: str) -> None:
    text, info = page(node, language), shown[node]
    limits, cost = (
        ("  - Limits: ", "  - Cost: ") if language == "en" else ("  - 限制：", "  - 费用：")
    )
    lines = text.splitlines()
    for name, spec in inputs_of(info).items():
        # A list, no table: the app's panel for help has room for one column.
        (place,) = [n for n, line in enumerate(lines) if re.match(rf"- \*\*.*`{name}`\*\* .", line)]
        assert lines[place + 1].startswith(limits) and lines[place + 2].startswith(cost)
        choices = spec[1].get("options", []) if name != "model" else []
        told = "".join(lines[place : place + 2])
        assert [choice for choice in choices if f"`{choice}`" not in told] == []
    outputs = [line for line in lines if line.startswith("- ")]
    named = [
        name
        for name in info["output_name"]
        for line in outputs
        if re.match(rf"- [^*`]*`{name}`", line)
    ]
    assert named == info["output_name"]
    assert not [line for line in lines if line.startswith("|")]


@pytest.mark.parametrize("node", NODES)
def test_both_languages_have_the_same_parts(node: str) -> None:
    def parts(language: str) -> list[str]:
        lines = page(node, language).splitlines()
        return [re.match(r"#+|\d\.| *-|", line)[0] for line in lines if line]  # type: ignore[index]

    assert parts("en") == parts("zh")
    assert [part for part in parts("en") if part.endswith(".")] == ["1.", "2.", "3."]
    assert parts("en").count("##") == 5

    def names(language: str) -> list[str]:
        return sorted(set(re.findall(r"`([^`]+)`", page(node, language))))

    assert names("en") == names("zh")


def numbers(text: str) -> Iterator[int]:
    """Every number of a page but those of names, sizes, file types and enumerations."""
    text = re.sub(r"`[^`]*`|^\d\.|(?<=\d) (?=\d{3})", "", text, flags=re.MULTILINE)
    yield from (
        int(number)
        for number in re.findall(r"(?<![\w:])(?<!\d\.)\d+(?![\w:]|\.\d)|\d+(?=:1)", text)
    )


def test_every_number_in_a_page_is_the_catalogues() -> None:
    from seedream_api.catalog import (
        MAX_REFERENCE_PIXELS,
        MAX_REFERENCE_RATIO,
        MAX_REFERENCES,
        MAX_REFERENCES_AND_RESULTS,
        MAX_RESULTS,
        MIN_REFERENCE_SIDE,
        NOTED_PROMPT_LENGTH,
    )
    from seedream_api.config import profiles
    from seedream_api.downloads.downloader import MAX_BYTES
    from seedream_api.service.validation import MAX_TASK_ID_LENGTH

    size = {MIN_REFERENCE_SIDE.value, MAX_REFERENCE_PIXELS.value, MAX_REFERENCE_RATIO.value, 1}
    seeds = {0, 2**53 - 1}  # as far as a browser counts; node_contract.json holds the widget to it
    name = {int(re.findall(r"\d+", profiles._NAME.pattern)[-1])}  # letters of a profile's name
    request = {*size, *seeds, *name, MAX_REFERENCES.value, NOTED_PROMPT_LENGTH.value}
    group = {MAX_RESULTS.value, MAX_REFERENCES_AND_RESULTS.value}
    known = {
        "SeedreamPreferential": request,
        "SeedreamEvolink": {*request, *group},
        "SeedreamPollTask": {*name, MAX_TASK_ID_LENGTH, 1, 604_800, 1800},
        "SeedreamLoadURLImages": {1, MAX_BYTES // 1024**2},
        "SeedreamBatch": {*request, *group},
        "SeedreamUploadReferences": {*size, MAX_REFERENCES.value},
    }
    examples = {"SeedreamPreferential": {1, 2, 16, 9}, "SeedreamEvolink": {4}}
    for node, language in PAGES:
        found = set(numbers(page(node, language)))
        assert found - examples.get(node, set()) <= known[node], (node, language)
        assert known[node] - found <= {1}, (node, language, "a limit is not told")


def test_numbers_of_poll_task_are_the_nodes(shown: dict[str, Any]) -> None:
    options = shown["SeedreamPollTask"]["input"]["optional"]["timeout_s"][1]
    assert (options["min"], options["max"], options["default"]) == (1, 604_800, 1800)
