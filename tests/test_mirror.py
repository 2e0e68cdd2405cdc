"""Tests mirror the package: each module has a file of tests of its name in the mirrored folder."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import avalanche_emgd

PACKAGE, TESTS = Path(avalanche_emgd.__file__).parent, Path(__file__).parent
MIRRORED = tuple(sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))


def computes(path):
    """Whether a module defines a function; others hold data, types and names of other modules."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def modules_of(folder):
    return [path for path in sorted(folder.rglob("*.py")) if not path.name.startswith("__")]


@pytest.mark.parametrize("package", MIRRORED)
def test_each_module_has_its_tests(package):
    modules = modules_of(PACKAGE / package)
    assert modules
    missing = [
        str(place)
        for path in modules
        if computes(path)
        for folder in [TESTS / path.relative_to(PACKAGE).parent]
        for place in [folder / f"test_{path.stem.lstrip('_')}.py"]
        if not place.is_file() or "def test_" not in place.read_text(encoding="utf-8")
    ]
    assert missing == []


def helpers_of(path):
    """Names and code of the functions and classes of a file that are no tests."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("test_"):
            yield node.name, ast.dump(node)


def test_helpers_of_tests_are_defined_once():
    places = defaultdict(list)
    for path in sorted(TESTS.rglob("*.py")):
        for helper in helpers_of(path):
            places[helper].append(str(path.relative_to(TESTS)))
    copies = {name: files for (name, _), files in places.items() if len(files) > 1}
    assert copies == {}
