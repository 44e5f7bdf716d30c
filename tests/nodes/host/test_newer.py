"""Additions of newer hosts, and hosts without them."""

from __future__ import annotations

import dataclasses
import importlib
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def newer(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.host.newer")


@dataclasses.dataclass
class OldSchema:
    node_id: str


@dataclasses.dataclass
class NewSchema:
    node_id: str
    search_aliases: list[str]
    has_intermediate_output: bool = False


def test_older_schema_gets_no_unknown_argument(newer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer.io, "Schema", OldSchema)
    assert newer.found_as("文生图") == {}


def test_newer_schema_gets_words_for_the_node_search(
    newer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newer.io, "Schema", NewSchema)
    schema = NewSchema("x", **newer.found_as("文生图"))
    assert {"seedream", "bytedance", "doubao", "即梦", "豆包", "文生图"} <= {*schema.search_aliases}
    assert schema.has_intermediate_output


def test_advanced_is_passed_where_an_input_knows_it(newer: Any) -> None:
    def old(id: str) -> None: ...
    def new(id: str, advanced: bool = False) -> None: ...

    assert newer.accepted(old, advanced=True) == {}
    assert newer.accepted(new, advanced=True) == {"advanced": True}
