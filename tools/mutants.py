"""The changes that ``mutation.py`` makes: one operator, condition, constant or statement each."""

from __future__ import annotations

import ast
import copy
import inspect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "seedream_api"


@dataclass(frozen=True)
class Mutant:
    """One change of a module.

    Args:
        name: where it is and what it does, in words that outlive moved lines.
        number: of the change among all of the module, as ``Mutator`` counts them.
    """

    module: str
    name: str
    line: int
    number: int


_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_SQL = ((" AND ", " OR "), (" DESC", " ASC"), ("!=", "="), ("IS NOT NULL", "IS NULL"),
        ("NOT IN", "IN"), ("MAX(", "MIN("), (" > ", " < "),
        ("COALESCE(?, ", "COALESCE(NULL, "))  # fmt: skip


class Mutator(ast.NodeTransformer):
    """Visit a module and make the change with one number; without a number, list all changes.

    Left alone: docstrings, annotations, assertions, what a type checker alone reads, texts with
    blanks in them unless they are SQL (the readers of a text are tested elsewhere), ``log`` calls.
    """

    def __init__(self, module: str, lines: list[str], wanted: int | None = None) -> None:
        self.module, self._lines, self._wanted = module, lines, wanted
        self.found: list[Mutant] = []
        self._scope: list[str] = []
        self._seen: dict[str, int] = defaultdict(int)

    def _is_it(self, node: ast.AST, what: str) -> bool:
        """Note one possible change; whether it is the wanted one."""
        number, line = len(self.found), getattr(node, "lineno", 0)
        code = self._lines[line - 1].strip()
        name = f"{'.'.join(self._scope) or '-'} | {code} | {what}"
        self._seen[name] += 1
        if self._seen[name] > 1:
            name += f" ({self._seen[name]})"
        self.found.append(Mutant(self.module, name, line, number))
        return number == self._wanted

    # what is visited, and what is not

    def _visit_scope(self, node: Any) -> Any:
        self._scope.append(node.name)
        if not isinstance(node, ast.ClassDef):
            self.visit(node.args)
        node.body = self._statements(node.body)
        self._scope.pop()
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_scope

    def visit_Module(self, node: ast.Module) -> Any:
        node.body = self._statements(node.body)
        return node

    def visit_arguments(self, node: ast.arguments) -> Any:
        node.defaults = [self.visit(one) for one in node.defaults]
        node.kw_defaults = [one and self.visit(one) for one in node.kw_defaults]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.value = node.value and self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> Any:
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(statement) for statement in body]

    # statements

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, (ast.Constant, ast.Yield)):
            return node
        text = ast.unparse(node)
        if text.startswith(("log.", "await log.")):
            return node
        if self._is_it(node, "left out"):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> Any:
        if self._is_it(node, "not raised"):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> Any:
        is_none = node.value is None or isinstance(node.value, ast.Constant)
        if not is_none and self._is_it(node, "gives None"):
            return ast.copy_location(ast.Return(ast.Constant(None)), node)
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if self._is_it(node, "left out"):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> Any:
        if "TYPE_CHECKING" in ast.unparse(node.test) or "os.name" in ast.unparse(node.test):
            return node
        if not isinstance(node.test, ast.Compare) and self._is_it(node, "condition turned round"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
            ast.fix_missing_locations(node)
            return node
        return self.generic_visit(node)

    # expressions

    def visit_Compare(self, node: ast.Compare) -> Any:
        for place, operator in enumerate(node.ops):
            other = _COMPARE[type(operator)]
            if self._is_it(node, f"{type(operator).__name__} -> {other.__name__}"):
                node.ops[place] = other()
                return node
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        if self._is_it(node, "and <-> or"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            return node
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        if self._is_it(node, "choice turned round"):
            node.body, node.orelse = node.orelse, node.body
            return node
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not) and self._is_it(node, "not left out"):
            return node.operand
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        other = _BINARY.get(type(node.op))
        if other and self._is_it(node, f"{type(node.op).__name__} -> {other.__name__}"):
            node.op = other()
            return node
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "cast":
            node.args[1:] = [self.visit(one) for one in node.args[1:]]
            return node
        return self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        node.values = [
            self._sql(part) if isinstance(part, ast.Constant) else part for part in node.values
        ]
        return node

    def visit_Constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, bool):
            changed: Any = not value
        elif isinstance(value, (int, float)):
            changed = value + 1
        elif isinstance(value, str) and value and not any(mark in value for mark in " \n"):
            changed = f"X{value}"
        else:
            return self._sql(node)
        if self._is_it(node, f"{value!r} -> {changed!r}"):
            return ast.copy_location(ast.Constant(changed), node)
        return node

    def _sql(self, node: ast.Constant) -> ast.Constant:
        for old, new in _SQL:
            if isinstance(node.value, str) and old in node.value:
                for place in range(node.value.count(old)):
                    if self._is_it(node, f"SQL {old.strip()} -> {new.strip()}"):
                        parts = node.value.split(old)
                        text = old.join(parts[: place + 1]) + new + old.join(parts[place + 1 :])
                        return ast.copy_location(ast.Constant(text), node)
        return node


@dataclass
class Source:
    """A module's text and tree, and every mutant of it."""

    module: str

    def __post_init__(self) -> None:
        self.path = PACKAGE.joinpath(*self.module.split(".")).with_suffix(".py")
        self._lines = self.path.read_text("utf-8").splitlines()
        self._tree = ast.parse("\n".join(self._lines))
        lister = Mutator(self.module, self._lines)
        lister.visit(copy.deepcopy(self._tree))
        self.mutants = lister.found
        self._code = self.code()

    def code(self, mutant: Mutant | None = None) -> CodeType:
        """The module with this change, or as it is."""
        wanted = mutant.number if mutant else None
        tree = Mutator(self.module, self._lines, wanted).visit(copy.deepcopy(self._tree))
        return compile(ast.fix_missing_locations(tree), str(self.path), "exec")

    def changed(self, mutant: Mutant) -> dict[str, CodeType]:
        """By qualified name, the functions that the change lies within; none where it does not."""
        mine = dict(_functions(self.code(mutant)))
        return {name: mine[name] for name, code in _functions(self._code) if mine.get(name) != code}


def _functions(code: CodeType, prefix: str = "") -> Iterator[tuple[str, CodeType]]:
    """The functions of a module and the methods of its classes."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_flags & inspect.CO_OPTIMIZED:
                yield f"{prefix}{one.co_name}", one
            else:
                yield from _functions(one, f"{prefix}{one.co_name}.")
