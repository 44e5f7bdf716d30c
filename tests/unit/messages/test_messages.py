"""The error messages: complete in both languages, all used, none missing."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.errors import SeedreamError
from seedream_api.messages import CHARGE_TEXT, MESSAGES
from support.paths import PACK_ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LANGUAGES = ("en", "zh")


_ERRORS = "seedream_api.errors"


def all_errors(base: type[SeedreamError] = SeedreamError) -> set[type[SeedreamError]]:
    """The classes of ``errors``; those that build their own message are tested where they are."""
    children = (each for each in base.__subclasses__() if each.__module__.startswith(_ERRORS))
    return {base}.union(*(all_errors(child) for child in children))


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("seedream_api", "nodes"):
        for path in sorted((PACK_ROOT / folder).rglob("*.py")):
            if "messages" not in path.relative_to(PACK_ROOT).parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.AST) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def raised_keys() -> set[tuple[str, str]]:
    """Every key that an error is made with in the code, with the file's name."""
    names = {error.__name__ for error in all_errors()} | {"LinkDead"}
    found: set[tuple[str, str]] = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            called = called.id if isinstance(called, ast.Name) else called
            if called in names and isinstance(node.args[0], (ast.Constant, ast.IfExp)):
                found |= {(path.name, text) for text in texts(node.args[0])}
    return found


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_messages_are_complete_in_both_languages(key: str) -> None:
    entry = MESSAGES[key]
    assert entry.en.strip() and entry.zh.strip()
    assert CHINESE.search(entry.zh), "the Chinese sentence holds no Chinese"
    assert not CHINESE.search(entry.en + entry.hint_en)
    assert bool(entry.hint_en) == bool(entry.hint_zh)
    only_a_value = re.fullmatch(r"\{\w+\}", entry.hint_zh)
    assert not entry.hint_zh or only_a_value or CHINESE.search(entry.hint_zh)


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_both_languages_of_a_message_name_the_same_values(key: str) -> None:
    entry = MESSAGES[key]

    def in_any_language(names: set[str]) -> set[str]:
        return {name.removesuffix("_en").removesuffix("_zh") for name in names}

    for en, zh in ((entry.en, entry.zh), (entry.hint_en, entry.hint_zh)):
        assert in_any_language(placeholders(en)) == in_any_language(placeholders(zh))
        assert not any(name.endswith("_zh") for name in placeholders(en))
        assert not any(name.endswith("_en") for name in placeholders(zh))


def test_every_key_of_an_error_has_a_message() -> None:
    found = raised_keys()
    assert len(found) > 60, "the scan finds next to nothing: it no longer fits the code"
    assert {(file, key) for file, key in found if key not in MESSAGES} == set()


def test_every_message_is_used() -> None:
    used = set[str]().union(*(texts(tree) for _, tree in sources()))
    assert len(used) > 1_000
    assert set(MESSAGES) - used == set()


def test_message_is_summary_charge_and_hint() -> None:
    sentences = {language: [charge[i] for charge in CHARGE_TEXT.values()]
                 for i, language in enumerate(LANGUAGES)}  # fmt: skip
    assert all(len(set(known)) == len(CHARGE_TEXT) > 3 for known in sentences.values())
    for error_type in sorted(all_errors(), key=lambda error: error.__name__):
        for key, entry in MESSAGES.items():
            names = set[str]().union(*(placeholders(template) for template in entry))
            values = {name: f"<{name}>" for name in names - {"task_id"}}
            error = error_type(key, task_id="<task_id>", **values)
            for language in LANGUAGES:
                message = error.message(language)
                said = [charge for charge in sentences[language] if charge in message]
                assert said == [CHARGE_TEXT[error.charge.value][LANGUAGES.index(language)]]
                assert message.count(said[0]) == 1
                hint = entry.hint_en if language == "en" else entry.hint_zh
                assert message.startswith(error.summary(language))
                assert bool(hint) != message.endswith(said[0])
            assert str(error) == f"{error.message('en')}\n{error.message('zh')}"


def test_charge_texts_are_in_their_language() -> None:
    for en, zh in CHARGE_TEXT.values():
        assert not CHINESE.search(en) and CHINESE.search(zh)


def test_message_has_no_literal_braces_left() -> None:
    error = SeedreamError("bad_models_file", path="/p", reason="r")
    assert '{"id": ...' in error.message("en") and "{{" not in str(error)


def test_command_to_copy_has_a_line_for_itself() -> None:
    found = [
        line
        for message in MESSAGES.values()
        for text in message
        for line in text.splitlines()
        if "pip install" in line
    ]
    assert len(found) == 10 and all(re.fullmatch(r'    "\{python\}" -m .*[\w"]', x) for x in found)
