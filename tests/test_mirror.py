"""Tests mirror the package: each module has a file of tests of its name in the mirrored folder."""

import ast
from pathlib import Path

import pytest

import avalanche_emgd

PACKAGE, TESTS = Path(avalanche_emgd.__file__).parent, Path(__file__).parent
MIRRORED = ("benchmarks", "gradients", "models", "optim")


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
