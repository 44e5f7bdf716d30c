"""Texts that people read come from the tables: a scan of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from seedream_api.messages import TEXTS, Text
from support.paths import PACK_ROOT

READ_BY_PEOPLE = {
    "ArgumentTypeError", "Check", "ConnectError", "Failure", "PermissionError", "Repeated",
    "RetryDownload", "TooLarge", "UploadRejected", "WriteTimeout", "_bad_address",
    "_build_setting_error", "_build_unreadable", "_malformed_error", "_mark_broken", "_refusal",
    "_refused", "_unwritable", "append", "expired", "failure", "localize",
}  # fmt: skip
"""Calls whose texts a person reads; of ``append`` those to notes."""
KEPT = ("reason", "allowed", "note", "notes")
"""Names to which such texts are given, as keywords or variables."""
NO_WORDS = re.compile(
    r"|(HTTP )?<x>|<x> \(<x>\)|1-<x>|SEEDREAM_\w+|images\.<x>|[a-z]+|cannot be .*"
)
"""Values alone, and single names."""
FUNCTIONS = (
    "_describe", "_describe_error", "_describe_unknown", "_explain_unencodable", "_format_lifetime",
    "_reason", "describe_allowed", "describe_failure", "image_problem", "prune_if_needed",
)  # fmt: skip
"""Functions that return such a text."""


def as_text(node: ast.AST) -> str | None:
    """A literal, with ``<x>`` for every value in it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(as_text(part) or "<x>" for part in node.values)
    return None


def literals(node: ast.AST) -> Iterator[str]:
    """The literals that this expression may be; a call's own arguments are not among them."""
    text = as_text(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from (one for value in node.values for one in literals(value))
    elif isinstance(node, ast.Tuple):
        yield from (one for value in node.elts for one in literals(value))


def name_of(node: ast.AST) -> str:
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def found_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        called = name_of(node.func)
        to = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if called in READ_BY_PEOPLE and (called != "append" or to == "notes"):
            yield from (
                one
                for argument in node.args[2 if called == "Check" else 0 :]
                for one in literals(argument)
            )
        yield from (one for kw in node.keywords if kw.arg in KEPT for one in literals(kw.value))
    elif isinstance(node, ast.Assign) and any(name_of(target) in KEPT for target in node.targets):
        yield from literals(node.value)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FUNCTIONS:
        for one in ast.walk(node):
            if isinstance(one, ast.Return) and one.value is not None:
                yield from literals(one.value)


def nodes_of_the_code() -> Iterator[tuple[str, ast.AST]]:
    for folder in ("seedream_api", "nodes"):
        for path in sorted((PACK_ROOT / folder).rglob("*.py")):
            if not {"messages", "sandbox"} & set(path.relative_to(PACK_ROOT).parts):
                for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                    yield path.name, node


def test_texts_that_people_read_come_from_the_tables() -> None:
    found = {(file, text) for file, node in nodes_of_the_code() for text in found_in(node)}
    assert ("transfer.py", "HTTP <x>") in found, "the scan no longer fits the code"
    assert {one for one in found if not NO_WORDS.fullmatch(one[1])} == set()


def test_every_text_is_used_and_every_used_text_exists() -> None:
    used = {"wrong_use_.*"}
    for _, node in nodes_of_the_code():
        if isinstance(node, ast.Call) and name_of(node.func) in ("Text", "help_text"):
            prefix = "help_" if name_of(node.func) == "help_text" else ""
            used |= {
                prefix + one.replace("<x>", ".*")
                for one in literals(node.args[0])
                if one != "help_<x>"
            }
    assert len(used) > 150
    patterns = [re.compile(one) for one in used]
    assert {key for key in TEXTS if not any(one.fullmatch(key) for one in patterns)} == set()
    assert {one.pattern for one in patterns if not any(map(one.fullmatch, TEXTS))} == set()


def test_each_code_of_evolinks_files_has_a_text() -> None:
    from seedream_api.uploads import evolink

    for code in evolink._KNOWN_CODES:
        text = Text(f"evolink_{code}", said=Text("http_status", status=400))
        assert text.endswith(" (HTTP 400)") and text.zh.endswith("（HTTP 400）")
