"""Small changes of Python code, each of which a test of that code should notice."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Mutant", "mutants_of"]

# A large change of a number far from one, whose neighbours would be the same number of order one.
_FACTOR = 1000.0

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_NAMES = {
    first: second
    for pair in (
        ("min", "max"),
        ("minimum", "maximum"),
        ("argmin", "argmax"),
        ("amin", "amax"),
        ("any", "all"),
        ("ge", "le"),
        ("add", "sub"),
        ("mul", "truediv"),
    )
    for first, second in (pair, pair[::-1])
}
# Without these a class has another meaning, not another result.
_STRUCTURE = {
    "property",
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "contextmanager",
    "dataclass",
    "overload",
    "cached_property",
}


class Mutant(NamedTuple):
    """One change of a module.

    :param line: first line of what is changed, from 1.
    :param change: the code before and after.
    :param tree: the whole module with the change.
    """

    line: int
    change: str
    tree: ast.Module


class _Change(NamedTuple):
    """Replacement of the value of a field of a node, or of one element if the field is a list."""

    node: ast.AST
    field: str
    place: int | None
    new: ast.AST | None

    @property
    def old(self) -> ast.AST:
        value = getattr(self.node, self.field)
        return value if self.place is None else value[self.place]

    def put(self, value: ast.AST | None) -> None:
        if self.place is None:
            setattr(self.node, self.field, value)
        else:
            getattr(self.node, self.field)[self.place] = value


def mutants_of(source: str) -> Iterator[Mutant]:
    """Make the mutants of a module one by one; each tree is valid until the next one is asked for.

    Comparisons gain or lose equality or are reversed, and conditions are negated. Operators and
    names such as ``min`` and ``max`` are exchanged, and numbers are changed. Signs, ``not``,
    ``abs``, bounds of slices, decorators and statements are left out. Texts, annotations, ``raise``
    statements and code for type checkers alone stay as they are.

    :param source: Python code.
    """
    tree = ast.parse(source)
    for change in list(_changes_in(tree, _assigned(tree))):
        before = change.old
        line = getattr(before, "lineno", getattr(change.node, "lineno", 0))
        shown = change.node if isinstance(before, ast.operator | ast.cmpop | ast.boolop) else before
        is_bound = isinstance(change.node, ast.Slice)
        words = _shown(change.node if is_bound else shown)
        change.put(change.new)
        after = "nothing" if change.new is None else _shown(change.new)
        if shown is not before or is_bound:
            after = _shown(change.node)
        yield Mutant(line, f"{words}  ->  {after}", tree)
        change.put(before)


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.Pass):
        return "nothing"
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 100 else text[:97] + "..."


def _changes_in(node: ast.AST, assigned: Counter[str]) -> Iterator[_Change]:
    if isinstance(node, ast.FunctionDef):
        assigned = _assigned(node)
    for field, place, child in _children(node):
        if _is_left(node, field, child):
            continue
        for new in _replacements(child, field, assigned):
            yield _Change(node, field, place, new)
        if not isinstance(child, ast.Raise):
            yield from _changes_in(child, assigned)


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for place, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield field, place, each
        elif isinstance(value, ast.AST):
            yield field, None, value


def _is_left(node: ast.AST, field: str, child: ast.AST) -> bool:
    """Whether a part of a module is not to be changed: types, texts, and what is only a check."""
    if field in ("annotation", "returns", "type_comment") or isinstance(child, ast.JoinedStr):
        return True
    if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
        return True
    if isinstance(child, ast.FunctionDef) and child.name == "__repr__":
        return True
    if isinstance(child, ast.keyword) and child.arg == "strict":  # of `zip`: a mere check
        return True
    if isinstance(node, ast.ClassDef) and field in ("bases", "keywords"):
        return True
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _assigned(scope: ast.AST) -> Counter[str]:
    """How often each name is assigned to in a scope; without its only value it is an error."""
    names: Counter[str] = Counter()
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] += 1
        elif isinstance(node, ast.arg):
            names[node.arg] += 1
    return names


def _replacements(node: ast.AST, field: str, assigned: Counter[str]) -> Iterator[ast.AST | None]:
    """Return the replacements of a node."""
    if isinstance(node, ast.cmpop) and type(node) in _COMPARISONS:
        yield _COMPARISONS[type(node)]()
    elif isinstance(node, ast.operator) and type(node) in _OPERATORS:
        yield _OPERATORS[type(node)]()
    elif isinstance(node, ast.boolop):
        yield ast.Or() if isinstance(node, ast.And) else ast.And()
    elif isinstance(node, ast.Constant):
        yield from _other_numbers(node)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.Call):
        yield from _other_calls(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        yield ast.Name(_NAMES[node.id], ast.Load())
    elif isinstance(node, ast.stmt) and _may_be_dropped(node, assigned):
        yield ast.Pass()
    if field == "test" and isinstance(node, ast.expr) and not _is_negated_by_others(node):
        yield ast.UnaryOp(ast.Not(), node)
    if field in ("lower", "upper"):
        yield None
    if field == "decorator_list" and isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name not in _STRUCTURE:
            yield ast.parse("lambda whole: whole", mode="eval").body


def _is_negated_by_others(node: ast.expr) -> bool:
    """Whether another change of a condition is its negation."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return True
    if isinstance(node, ast.Constant):
        return True
    exact = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], exact)


def _other_numbers(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, float):
        if value == 0.0 or 0.01 <= abs(value) <= 100.0:
            yield from (ast.Constant(value + 1.0), ast.Constant(value - 1.0))
        else:
            yield from (ast.Constant(value * _FACTOR), ast.Constant(value / _FACTOR))


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    name = ast.unparse(node.func).rpartition(".")[2]
    if name == "abs" and len(node.args) == 1:
        yield node.args[0]
    elif name == "abs" and isinstance(node.func, ast.Attribute) and not node.args:
        yield node.func.value
    elif name in _NAMES and isinstance(node.func, ast.Attribute):
        func = ast.Attribute(node.func.value, _NAMES[name], ast.Load())
        yield ast.Call(func, node.args, node.keywords)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _may_be_dropped(node: ast.stmt, assigned: Counter[str]) -> bool:
    """Whether a function without a statement is still one that a test has to tell apart."""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return False
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(
            assigned[each.id] > 1 if isinstance(each, ast.Name) else not isinstance(each, ast.Tuple)
            for each in targets
        )
    if isinstance(node, ast.Return):
        return not (node.value is None or _is_none(node.value))
    kinds = (ast.AugAssign, ast.Expr, ast.Raise, ast.Continue, ast.Break, ast.Delete)
    return isinstance(node, kinds)
