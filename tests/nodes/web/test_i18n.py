"""The browser's scripts contain no texts: every word that they show is in the locales."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from seedream_api.errors import Charge
from seedream_api.ledger.job_filter import Group
from seedream_api.ledger.states import UNFINISHED_STATES, State
from support.paths import PACK_ROOT

SCRIPTS = sorted((PACK_ROOT / "web").glob("*.js"))
SHOWN = re.compile(r"""(?:\btext|title|placeholder|tooltip|"aria-label"): *(["'`])([^"'`]*)\1""")
"""Literals given to what a person sees or hears."""


def keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield path
        return
    for name, one in value.items():
        yield from keys(one, f"{path}.{name}" if path else name)


def words_of(language: str) -> list[str]:
    file = PACK_ROOT / "locales" / language / "main.json"
    return list(keys(json.loads(file.read_text("utf-8"))["seedream"]))


def asked(script: str) -> set[str]:
    """Patterns of the keys that a script asks for; ``${...}`` stands for any one part."""
    found: set[str] = set()
    for start in re.finditer(r"\b(?:translate|hasTranslation|translateCount)\(", script):
        call = script[start.end() : start.end() + 200].split(")")[0]
        for _, key in re.findall(r"""(["'`])([\w.${}() \[\]]+?\.[\w.${}() \[\]]+?)\1""", call):
            number = "(_one)?" if "Count(" in start[0] else ""
            found.add(re.sub(r"\\\$\\\{.+?\\\}", "[^.]+", re.escape(key)) + number)
    return found


BUILT = {r"settings\.[A-Z0-9_]+\.(label|help)", r"origins\.\w+", r"templates\.\w+\.(note|message)"}
"""Keys that the scripts put together in other ways."""


def test_i18n_has_exactly_the_texts_that_the_scripts_use() -> None:
    known = words_of("en")
    patterns = set[str]().union(*map(asked, (script.read_text("utf-8") for script in SCRIPTS)))
    assert len(patterns) > 60, "the scan finds next to nothing: it no longer fits the code"
    missing = [one for one in patterns if not any(re.fullmatch(one, key) for key in known)]
    assert missing == []
    used = patterns | BUILT
    assert [key for key in known if not any(re.fullmatch(one, key) for one in used)] == []


def test_i18n_has_text_for_each_state_and_advice_if_unclear() -> None:
    known = set(words_of("en"))
    script = (PACK_ROOT / "web" / "task_texts.js").read_text("utf-8")
    unclear = {
        state
        for name in ("RUNNING", "UNCLEAR")  # what runs is unclear once no process works on it
        for state in re.findall(r'"(\w+)"', script.split(f"const {name} = ")[1].split("\n")[0])
    }
    assert {"intended", "unknown"} < unclear <= {state.value for state in State}
    assert {f"unclear.{state}" for state in unclear} <= known
    assert {f"states.{state.value}" for state in State} <= known
    assert {f"filters.{group.value}" for group in Group} <= known
    assert {f"left.{state.value}" for state in UNFINISHED_STATES} <= known
    assert {f"charges.{charge.value}" for charge in Charge} <= known


def test_scripts_show_texts_of_the_tables_only() -> None:
    own = {
        f"{script.name}: {text}"
        for script in SCRIPTS
        for _, text in SHOWN.findall(script.read_text("utf-8"))
        if re.search(
            r"[A-Za-z]{3}|[\u4e00-\u9fff]", re.sub(r"\$\{.*?\}|https://|Seedream", "", text)
        )
    }
    assert own == set()


def test_every_setting_and_every_choice_has_a_label() -> None:
    from seedream_api.config.definitions import SETTINGS

    known = set(words_of("en"))
    assert [name for name in SETTINGS if f"settings.{name}.label" not in known] == []
    choices = {
        f"choices.{name}.{word}"
        for name, setting in SETTINGS.items()
        for word in setting.words
        if setting.words != ("on", "off")
    }
    assert choices <= known


def test_panels_call_the_nodes_by_their_chinese_names() -> None:
    locales = PACK_ROOT / "locales" / "zh"
    titles = [
        node["display_name"]
        for node in json.loads((locales / "nodeDefs.json").read_text("utf-8")).values()
    ]
    named = set(re.findall(r"“([^”]+)”节点", (locales / "main.json").read_text("utf-8")))
    assert (
        named and [name for name in named if not any(one.startswith(name) for one in titles)] == []
    )


def test_template_titles_and_descriptions_match_docs() -> None:
    files = sorted(file.stem for file in (PACK_ROOT / "example_workflows").glob("*.json"))
    for language, page in (("en", "nodes.md"), ("zh", "nodes.zh-CN.md")):
        file = PACK_ROOT / "locales" / language / "main.json"
        told = json.loads(file.read_text("utf-8"))["seedream"]["templates"]
        assert list(told) == files
        rows = [f"| **{one['title']}** | {one['description']} |" for one in told.values()]
        assert "\n".join(rows) in (PACK_ROOT / "docs" / page).read_text("utf-8")
